#!/usr/bin/env bash
# Starts the server and runs the tests that need it: `bash tests/services/mqtt.sh [folder]`; the folder defaults to target/services.
# Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
tested mqtt
restarted mqtt mqtt
