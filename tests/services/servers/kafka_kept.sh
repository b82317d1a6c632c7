#!/usr/bin/env bash
# noida-db, a server that speaks Kafka's protocol and keeps its data when it ends, from PyPI. In place of Kafka in the test of a restart.
port=19093
signal=TERM

start() {
    pypi noida-venv noida-db==0.2.3
    background "$into/noida-venv/bin/noida-db" start --data-dir "$folder/data" --host 127.0.0.1 --only kafka --kafka-port "$port"
}

ready() { :; }

source "$(dirname "$0")/shared"
