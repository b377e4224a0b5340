#!/bin/sh
# Brings Temporal's two databases to the schema of this version of the admin tools. Repeatable: on a database that
# is up to date it changes nothing. Connection by SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu

setup() {
  database=$1
  schema=$2
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  temporal-sql-tool --database "$database" update-schema --schema-name "$schema"
}

setup temporal postgresql/v12/temporal
setup temporal_visibility postgresql/v12/visibility
