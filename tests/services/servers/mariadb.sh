#!/usr/bin/env bash
# MariaDB, from Debian, with a log of every statement.
port=13306

start() {
    debian mariadbd mariadb-server
    local as=()
    [ "$(id -u)" -ne 0 ] || { as=(--user=mysql); chown mysql "$folder/data"; }
    if [ ! -e "$folder/data/db" ]; then
        mariadb-install-db --no-defaults "${as[@]}" --datadir="$folder/data/db" --auth-root-authentication-method=normal \
            >"$folder/install.log" 2>&1 || fail "see $folder/install.log"
    fi
    background mariadbd --no-defaults "${as[@]}" --datadir="$folder/data/db" --bind-address=127.0.0.1 --port="$port" \
        --socket="$folder/data/socket" --innodb-flush-log-at-trx-commit=2 --general-log=1 --general-log-file="$folder/data/statements.log"
}

ready() {
    until grep -q "ready for connections" "$folder/log"; do tries_again; done
    mariadb --no-defaults -h 127.0.0.1 -P "$port" -u root -e "CREATE DATABASE IF NOT EXISTS test"
}

source "$(dirname "$0")/shared"
