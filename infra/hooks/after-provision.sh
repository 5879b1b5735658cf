#!/bin/sh
# After the resources are there: the key for sealing, and the database.
set -eu

here=$(dirname "$0")
sh "$here/make-sealing-key.sh"
sh "$here/migrate-database.sh"
