#!/usr/bin/env bash
# Redis, from Debian, with a log of what is written, so that it survives a restart.
port=16379

start() {
    debian redis-server redis-server
    background redis-server --bind 127.0.0.1 --port "$port" --dir "$folder/data" --save "" --appendonly yes --appendfsync everysec
}

ready() {
    until redis-cli -p "$port" ping 2>/dev/null | grep -q PONG; do tries_again; done
}

source "$(dirname "$0")/shared"
