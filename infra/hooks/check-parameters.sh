#!/bin/sh
# Before anything is created: are the tools and the answers there that the deployment needs?
set -eu

status=0

for tool in az curl npm openssl "${PYTHON:-python3}"; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "$tool is missing: install it first." >&2
        status=1
    fi
done

need() { # need NAME "what it is"
    eval "value=\${$1:-}"
    if [ -z "${value}" ]; then
        echo "$1 is missing ($2): azd env set $1 …" >&2
        status=1
    fi
}

need DEPLOYER_NAME "your user principal name, with which you sign in to PostgreSQL"
need UPSTREAM_APP_ID "client id of the app registration of the event endpoint"
need AUTH_METADATA_URL "OpenID Connect metadata of the user flow or tenant"
need AUTH_AUDIENCE "client id of the API in that tenant"
need TWILIO_ACCOUNT_SID "account SID, see the Twilio console"

# Where the vault is there already, the key must stand in it before the app is told of it.
if [ "$status" = 0 ] && [ -n "${KEY_VAULT_NAME:-}" ]; then
    sh "$(dirname "$0")/make-sealing-key.sh"
fi

exit "$status"
