#!/usr/bin/env bash
# Starts Redis and runs the tests of Celery's tasks, with a worker of Celery: `bash tests/services/celery.sh [folder]`; the folder defaults
# to target/services. Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
bash tests/services/peers/install.sh "$CTX_SERVICES"
with_server redis cargo test -p ctx-service-tests --features "${features:-celery}" --test celery -- --nocapture
with_server redis cargo test -p ctx-service-tests --features "${features:-celery}" --test celery -- --ignored --nocapture restart
