#!/usr/bin/env bash
# kmock, a server that speaks the protocol of Kubernetes' API server and stores objects in memory, from PyPI. In place of a cluster: it
# starts no containers.
port=16443

start() {
    pypi kmock-venv kmock==0.8
    background "$into/kmock-venv/bin/python" "$(dirname "$0")/kubernetes.py" "$port"
}

ready() { :; }

source "$(dirname "$0")/shared"
