#!/usr/bin/env bash
# Starts PostgreSQL and runs the tests of graphile_worker's jobs: `bash tests/services/graphile.sh [folder]`; the folder defaults to
# target/services. Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
with_server postgres cargo test -p ctx-service-tests --features "${features:-graphile}" --test graphile -- --nocapture
