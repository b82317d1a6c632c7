#!/usr/bin/env bash
# NATS with JetStream, from Debian.
port=14222

start() {
    debian nats-server nats-server
    background nats-server -a 127.0.0.1 -p "$port" -js -sd "$folder/data"
}

ready() { :; }

source "$(dirname "$0")/shared"
