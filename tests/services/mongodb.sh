#!/usr/bin/env bash
# Starts secantusdb, which speaks MongoDB's protocol, and runs the tests that need it: `bash tests/services/mongodb.sh [folder]`; the
# folder defaults to target/services. Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
tested mongodb
restarted mongodb
