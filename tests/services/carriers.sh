#!/usr/bin/env bash
# Runs the tests of the carriers that are types of clients, and of SQLite. They need no server. `bash tests/services/carriers.sh`
source "$(dirname "${BASH_SOURCE[0]}")/broker"
cargo test -p ctx-service-tests --features "${features:-carriers}" --test carriers
cargo test -p ctx-service-tests --features "${features:-sql}" --test sqlite
