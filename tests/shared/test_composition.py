"""What the settings leave out is left out, and nothing else with it."""

from __future__ import annotations

import pytest

from shared.composition import Services
from shared.settings import Settings

NEEDED = {
    "PUBLIC_BASE_URL": "https://voice.example",
    "DATABASE_URL": "postgresql://voice@db.example/voice",
    "REDIS_URL": "redis://cache.example",
    "WEB_PUBSUB_PUBLIC_URL": "wss://hub.example",
    "WEB_PUBSUB_UPSTREAM_ISSUER": "https://id.example",
    "WEB_PUBSUB_UPSTREAM_AUDIENCE": "api",
    "WEB_PUBSUB_UPSTREAM_CLIENT_ID": "client",
    "AUTH_METADATA_URL": "https://id.example/t/p/v2.0/.well-known/openid-configuration",
    "AUTH_AUDIENCE": "api",
    "BLOB_ACCOUNT_URL": "https://files.example",
}


@pytest.mark.parametrize(
    ("account", "token", "hubs"),
    [("", "", ["clients"]), ("AC1", "", ["clients"]), ("AC1", "secret", ["carriers", "clients"])],
)
async def test_clients_are_let_in_whatever_carriers_there_are(account: str, token: str, hubs: list[str]) -> None:
    environment = {**NEEDED, "TWILIO_ACCOUNT_SID": account, "TWILIO_AUTH_TOKEN": token}
    assert sorted(Services(Settings.from_environment(environment)).media_gates) == hubs
