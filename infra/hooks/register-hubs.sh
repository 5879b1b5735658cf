#!/bin/sh
# Registers the app as event handler of the Web PubSub hubs, once it answers: the service asks it before it agrees.
set -eu

: "${AZURE_RESOURCE_GROUP:?is missing: run azd provision first}"
: "${SERVICE_APP_URI:?is missing}"
: "${SERVICE_APP_HOST_NAME:?is missing}"
: "${WEB_PUBSUB_NAME:?is missing}"
: "${WEB_PUBSUB_HOST_NAME:?is missing}"
: "${WEB_PUBSUB_CLIENT_HUB:?is missing}"
: "${WEB_PUBSUB_CARRIER_HUB:?is missing}"
: "${WEB_PUBSUB_RELAY_HUB:?is missing}"
: "${WEB_PUBSUB_VONAGE_HUB:?is missing}"
: "${UPSTREAM_APP_ID:?is missing}"

root=$(cd "$(dirname "$0")/../.." && pwd)

wait_until_alive() {
    tries=60
    until curl --fail --silent --max-time 10 --output /dev/null "$SERVICE_APP_URI/api/health/live"; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "$SERVICE_APP_URI/api/health/live does not answer: look into Application Insights." >&2
            exit 1
        fi
        sleep 5
    done
}

check_handshake() { # check_handshake HUB
    if ! curl --fail --silent --max-time 10 --request OPTIONS --dump-header - --output /dev/null \
        --header "WebHook-Request-Origin: $WEB_PUBSUB_HOST_NAME" \
        "$SERVICE_APP_URI/api/realtime/events/$1/validate" | grep -qi '^webhook-allowed-origin:'; then
        echo "The app does not answer the handshake of hub $1 (OPTIONS …/events/$1/validate)." >&2
        exit 1
    fi
}

wait_until_alive
check_handshake "$WEB_PUBSUB_CLIENT_HUB"
check_handshake "$WEB_PUBSUB_CARRIER_HUB"
check_handshake "$WEB_PUBSUB_RELAY_HUB"
check_handshake "$WEB_PUBSUB_VONAGE_HUB"

az deployment group create --resource-group "$AZURE_RESOURCE_GROUP" --name hubs --output none \
    --template-file "$root/infra/bicep/hubs.bicep" \
    --parameters webPubSubName="$WEB_PUBSUB_NAME" appHostName="$SERVICE_APP_HOST_NAME" \
    upstreamAppId="$UPSTREAM_APP_ID" clientHub="$WEB_PUBSUB_CLIENT_HUB" carrierHub="$WEB_PUBSUB_CARRIER_HUB" \
    relayHub="$WEB_PUBSUB_RELAY_HUB" vonageHub="$WEB_PUBSUB_VONAGE_HUB"

echo "Hubs $WEB_PUBSUB_CLIENT_HUB, $WEB_PUBSUB_CARRIER_HUB, $WEB_PUBSUB_RELAY_HUB and $WEB_PUBSUB_VONAGE_HUB" \
    "send their events to $SERVICE_APP_URI."
