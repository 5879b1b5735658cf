#!/bin/sh
# After the resources are there: the key under which the app seals. It is made once, here, and never replaced: what was
# sealed under a lost key can never be read again.
set -eu

: "${KEY_VAULT_NAME:?is missing: run azd provision first}"

name=sealing-keys
most=${1:-20} # how often the vault is asked: a role that was just given takes minutes
pause_s=${2:-15}

count() { # count COMMAND: how many secrets of this name it lists
    tries=$most
    until found=$(az keyvault secret "$1" --vault-name "$KEY_VAULT_NAME" \
        --query "length([?name=='$name'])" --output tsv); do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "Key Vault $KEY_VAULT_NAME cannot be asked for its secrets: you need the role Key Vault Secrets Officer." >&2
            exit 1
        fi
        sleep "$pause_s"
    done
    echo "$found"
}

there=$(count list)
if [ "$there" != 0 ]; then
    exit 0
fi
deleted=$(count list-deleted)
if [ "$deleted" != 0 ]; then
    echo "The key under which the app has sealed was deleted. Bring it back, then run this again:" >&2
    echo "  az keyvault secret recover --vault-name $KEY_VAULT_NAME --name $name" >&2
    exit 1
fi

umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf '{"%s": "%s"}' "$(date -u +%Y-%m-%d)" "$(openssl rand -base64 32)" >"$folder/keys"
az keyvault secret set --vault-name "$KEY_VAULT_NAME" --name "$name" --file "$folder/keys" --output none
echo "Key Vault $KEY_VAULT_NAME has a key for sealing now. Back it up: az keyvault secret backup."
