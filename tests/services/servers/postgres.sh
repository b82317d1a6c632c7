#!/usr/bin/env bash
# PostgreSQL, from Debian, which logs every statement.
port=15432
# An immediate shutdown, after which it recovers as after a crash. Its processes outlive the first one's kill, and keep its memory.
signal=QUIT

start() {
    [ -n "$(ls /usr/lib/postgresql 2>/dev/null)" ] || debian pg_ctlcluster postgresql
    local bin
    bin=$(echo /usr/lib/postgresql/*/bin)
    # It does not run as root.
    local as=()
    [ "$(id -u)" -ne 0 ] || { as=(runuser -u postgres --); chown postgres "$folder/data"; }
    [ -e "$folder/data/pg/PG_VERSION" ] ||
        "${as[@]}" "$bin/initdb" -D "$folder/data/pg" -U postgres -A trust --no-sync >"$folder/initdb.log" 2>&1 || fail "see $folder/initdb.log"
    rm -f "$folder/data/pg/postmaster.pid"
    background "${as[@]}" "$bin/postgres" -D "$folder/data/pg" -p "$port" -h 127.0.0.1 -k "$folder/data" -c log_statement=all -c fsync=off
}

ready() {
    until grep -q "ready to accept connections" "$folder/log"; do tries_again; done
}

source "$(dirname "$0")/shared"
