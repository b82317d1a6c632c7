#!/usr/bin/env bash
# Mosquitto, from Debian, which keeps its sessions.
port=11883

start() {
    debian mosquitto mosquitto
    # It saves every second, and its queues are unlimited.
    printf '%s\n' "listener $port 127.0.0.1" "allow_anonymous true" "persistence true" "persistence_location $folder/data/" \
        "autosave_interval 1" "max_queued_messages 0" "user root" >"$folder/mosquitto.conf"
    background mosquitto -c "$folder/mosquitto.conf"
}

ready() { :; }

source "$(dirname "$0")/shared"
