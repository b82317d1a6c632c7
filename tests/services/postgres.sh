#!/usr/bin/env bash
# Starts the server and runs the tests that need it: `bash tests/services/postgres.sh [folder]`; the folder defaults to target/services.
# Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
tested postgres sql
restarted postgres sql

# The outbox on this database. Both are compiled, so that the other script compiles nothing.
outbox() {
    CTX_POSTGRES="postgres://postgres@127.0.0.1:$CTX_SERVICE_PORT/postgres" cargo test -p ctx-outbox-tests --features mysql,postgres --test outbox postgres::
}
with_server postgres outbox
