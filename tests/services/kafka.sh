#!/usr/bin/env bash
# Starts tansu, which speaks Kafka's protocol, and runs the tests that need it, with peers in other languages: `bash tests/services/kafka.sh [folder]`; the folder
# defaults to target/services. Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
tested kafka
restarted kafka kafka kafka_kept
