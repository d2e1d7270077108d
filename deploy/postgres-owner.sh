#!/bin/sh
# Run once by the image of Postgres, on an empty volume: the role that owns Signalbox's tables. No superuser; it makes the application's role.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$SIGNALBOX_DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role signalbox_owner login createrole password :'password';
create database signalbox owner signalbox_owner;
SQL
