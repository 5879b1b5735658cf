"""The configuration that the local stack gives the endpoint, for the supervisor to write to a file."""

from __future__ import annotations

from typing import Any

from local_stack.web_pubsub.configuration import SYSTEM_EVENTS, Limits

# Well-known keys for local development: they guard nothing but a loopback port.
LOCAL_ACCESS_KEY = "bG9jYWwtZGV2ZWxvcG1lbnQtb25seS13ZWItcHVic3ViLWtleS0x"
LOCAL_SECONDARY_ACCESS_KEY = "bG9jYWwtZGV2ZWxvcG1lbnQtb25seS13ZWItcHVic3ViLWtleS0y"

DEFAULT_PORT = 7080


def connection_string(port: int = DEFAULT_PORT, access_key: str = LOCAL_ACCESS_KEY) -> str:
    """What WEB_PUBSUB_CONNECTION_STRING holds; the official SDKs read it as it is."""
    return f"Endpoint=http://localhost;Port={port};AccessKey={access_key};Version=1.0;"


def managed_identity_auth(
    token_url: str, client_id: str, client_secret: str, *, scope: str = "", audience: str = ""
) -> dict[str, str]:
    """The `auth` entry of an event handler that is called with a bearer token."""
    return {
        "type": "ManagedIdentity",
        "tokenUrl": token_url,
        "clientId": client_id,
        "clientSecret": client_secret,
        "scope": scope,
        "audience": audience,
    }


def default_config(
    *,
    port: int = DEFAULT_PORT,
    app_base_url: str = "http://localhost:7071",
    client_hub: str = "clients",
    carrier_hub: str = "carriers",
    relay_hub: str = "relays",
    vonage_hub: str = "vonage",
    access_key: str = LOCAL_ACCESS_KEY,
    secondary_access_key: str = LOCAL_SECONDARY_ACCESS_KEY,
    auth: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The stack's configuration as a JSON document: hubs whose events all go to the function app.

    `auth` comes from `managed_identity_auth`; without it upstream requests bear no token.
    """
    handler: dict[str, Any] = {
        "urlTemplate": f"{app_base_url.rstrip('/')}/api/realtime/events/{{hub}}/{{event}}",
        "userEventPattern": "*",
        "systemEvents": list(SYSTEM_EVENTS),
    }
    if auth is not None:
        handler["auth"] = auth
    limits = Limits()
    return {
        "endpoint": f"http://localhost:{port}",
        "accessKeys": [access_key, secondary_access_key],
        "hubs": {
            client_hub: {"anonymousConnectPolicy": "deny", "eventHandlers": [handler]},
            carrier_hub: {"anonymousConnectPolicy": "allow", "eventHandlers": [handler]},
            relay_hub: {"anonymousConnectPolicy": "allow", "eventHandlers": [handler]},
            vonage_hub: {"anonymousConnectPolicy": "deny", "eventHandlers": [handler]},
        },
        "limits": {
            "keepAliveIntervalSeconds": limits.keep_alive_interval_s,
            "retryDelaysSeconds": list(limits.retry_delays_s),
        },
    }
