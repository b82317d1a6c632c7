#!/usr/bin/env bash
# Starts kmock, which speaks the protocol of Kubernetes' API server, and runs the tests that need it:
# `bash tests/services/kubernetes.sh [folder]`; the folder defaults to target/services. Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
with_server kubernetes cargo test -p ctx-service-tests --features "${features:-kubernetes}" --test kubernetes -- --nocapture
