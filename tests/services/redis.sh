#!/usr/bin/env bash
# Starts Redis and runs the tests that need it, with peers in other languages: `bash tests/services/redis.sh [folder]`; the folder
# defaults to target/services. Fails if anything is missing.
source "$(dirname "${BASH_SOURCE[0]}")/broker"
tested redis
restarted redis
