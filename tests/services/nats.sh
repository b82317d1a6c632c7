#!/usr/bin/env bash
# Starts NATS with JetStream and runs the tests that need it, with peers in other languages: `bash tests/services/nats.sh [folder]`; the folder
# defaults to target/services. Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
tested nats
restarted nats
