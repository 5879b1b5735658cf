#!/bin/sh
# Before the app is deployed: what it must have from Key Vault must stand there, or it would not start.
set -eu

: "${KEY_VAULT_NAME:?is missing: run azd provision first}"
: "${AZURE_RESOURCE_GROUP:?is missing}"
: "${SERVICE_APP_NAME:?is missing}"

if ! az keyvault secret show --vault-name "$KEY_VAULT_NAME" --name twilio-auth-token \
    --query id --output tsv >/dev/null; then
    echo "The auth token of Twilio is not in Key Vault. Put it into a file of its own, without a line end, and run" >&2
    echo "  az keyvault secret set --vault-name $KEY_VAULT_NAME --name twilio-auth-token --file FILE" >&2
    echo "then delete the file and run azd deploy again." >&2
    exit 1
fi

if ! az keyvault secret show --vault-name "$KEY_VAULT_NAME" --name sealing-keys \
    --query id --output tsv >/dev/null; then
    echo "The key under which the app seals is not in Key Vault: run azd provision, which makes it once." >&2
    exit 1
fi

# The app looks up references when its settings change, and otherwise once a day.
app=$(az functionapp show --resource-group "$AZURE_RESOURCE_GROUP" --name "$SERVICE_APP_NAME" --query id --output tsv)
az rest --method post --output none \
    --url "https://management.azure.com$app/config/configreferences/appsettings/refresh?api-version=2022-03-01"
