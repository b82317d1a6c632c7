#!/usr/bin/env bash
# secantusdb, a server that speaks MongoDB's protocol, from PyPI. In place of mongod, which Debian does not have. It is under
# the GPL: the tests run it, and nothing ships it.
port=27118

start() {
    pypi mongodb-venv secantusdb==0.7.0b3
    background "$into/mongodb-venv/bin/secantusd-py" --host 127.0.0.1 --port "$port" --storage-path "$folder/data/db"
}

ready() { :; }

source "$(dirname "$0")/shared"
