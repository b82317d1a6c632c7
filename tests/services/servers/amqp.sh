#!/usr/bin/env bash
# RabbitMQ, from Debian, as a node beside the system's.
port=15673

start() {
    debian rabbitmq-server rabbitmq-server
    # `rabbitmq-server` becomes the user rabbitmq, who may not write here.
    local bin=/usr/lib/rabbitmq/bin
    export HOME=$folder/data RABBITMQ_NODENAME=ctx-service@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$port
    export RABBITMQ_DIST_PORT=15674 RABBITMQ_MNESIA_BASE=$folder/data/mnesia RABBITMQ_LOG_BASE=$folder/data/log
    export RABBITMQ_ENABLED_PLUGINS_FILE=$folder/data/plugins RABBITMQ_PID_FILE=$folder/data/pid RABBITMQ_CONFIG_FILE=$folder/data/none
    background "$bin/rabbitmq-server"
}

ready() {
    # The port answers before users can log in.
    until grep -q "Starting broker... completed" "$folder/log"; do tries_again; done
}

source "$(dirname "$0")/shared"
