#!/bin/sh
# Start Valkey with its password read from standard input: a command line is everybody's to read.
set -eu
exec valkey-server - <<CONFIGURATION
dir /data
appendonly yes
save ""
maxmemory-policy noeviction
requirepass $VALKEYCLI_AUTH
CONFIGURATION
