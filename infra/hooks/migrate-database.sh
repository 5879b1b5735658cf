#!/bin/sh
# Brings the schema up to date and gives the app its role, signed in as the deployer with an Entra token.
set -eu

: "${DATABASE_HOST:?is missing: run azd provision first}"
: "${DATABASE_NAME:?is missing}"
: "${DATABASE_APP_ROLE:?is missing}"
: "${DATABASE_APP_OBJECT_ID:?is missing}"
: "${DEPLOYER_NAME:?is missing}"

cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
if [ -z "${PYTHON:-}" ] && [ -x .venv/bin/python ]; then
    python=.venv/bin/python
fi

# The user stands in PGUSER, since a user principal name has an @ that an address would have to escape.
export PGUSER="$DEPLOYER_NAME"
export DATABASE_URL="postgresql://$DATABASE_HOST:5432/$DATABASE_NAME?sslmode=require"
export DATABASE_AUTH=entra

"$python" -m infra.database upgrade
"$python" -m infra.hooks.app_role
