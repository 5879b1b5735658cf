"""The environment becomes settings, or one line that names everything that is wrong with it."""

from __future__ import annotations

import pytest

from shared.domain.errors import InvalidRequest
from shared.settings import Settings

LEAST = {
    "PUBLIC_BASE_URL": "https://voice.example.com",
    "DATABASE_URL": "postgresql://voice@db/voice",
    "REDIS_URL": "rediss://cache:10000",
    "WEB_PUBSUB_PUBLIC_URL": "wss://voice.webpubsub.azure.com",
    "WEB_PUBSUB_UPSTREAM_ISSUER": "https://sts.windows.net/t/",
    "WEB_PUBSUB_UPSTREAM_AUDIENCE": "api://voice",
    "WEB_PUBSUB_UPSTREAM_CLIENT_ID": "0000",
    "AUTH_METADATA_URL": "https://voice.b2clogin.com/x",
    "AUTH_AUDIENCE": "voice-agent-api",
}


def read(**changes: str) -> Settings:
    return Settings.from_environment(LEAST | changes)


def refusal(**changes: str) -> str:
    with pytest.raises(InvalidRequest) as refused:
        read(**changes)
    assert refused.value.code == "settings"
    assert "\n" not in refused.value.message
    return refused.value.message


def test_the_least_is_enough_and_the_rest_has_defaults() -> None:
    settings = read()
    assert settings.public_base_url == "https://voice.example.com"
    assert (settings.database_auth, settings.database_connections, settings.longest_call_s) == ("password", 4, 3600)
    assert settings.twilio_api_base_url == "https://api.twilio.com"
    assert settings.twilio_auth_token == ""


def test_every_setting_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Settings.from_environment({})
    assert all(f"{name} is missing" in refused.value.message for name in LEAST)


@pytest.mark.parametrize("name", sorted(LEAST))
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_is_missing(name: str, blank: str) -> None:
    assert f"{name} is missing" in refusal(**{name: blank})


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("DATABASE_CONNECTIONS", 1, 100), ("CLIENT_TOKEN_MINUTES", 1, 1440), ("LONGEST_CALL_S", 60, 14_400)],
)
def test_numbers_have_ranges(name: str, low: int, high: int) -> None:
    for good in (low, high):
        assert getattr(read(**{name: str(good)}), name.lower()) == good
    for bad in (str(low - 1), str(high + 1), "-5", "1.5", "many", "²", "1e2", "9" * 5000):
        assert refusal(**{name: bad}) == f"{name} must be a whole number from {low} to {high}"


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("DATABASE_AUTH", ["password", "entra"]),
        ("REDIS_AUTH", ["url", "entra"]),
        ("AUTH_PROFILE", ["b2c", "external_id"]),
        ("LLM_CLIENT", ["direct", "langchain"]),
        ("OPENAI_PROVIDER", ["openai", "azure_openai"]),
        ("FALLBACK_OPENAI_PROVIDER", ["none", "openai", "azure_openai"]),
    ],
)
def test_choices(name: str, choices: list[str]) -> None:
    for choice in choices:
        assert getattr(read(**{name: choice}), name.lower()) == choice
    assert f"{name} must be one of {', '.join(choices)}" in refusal(**{name: "other"})
    assert name in refusal(**{name: choices[0].upper()})


def test_a_secret_that_key_vault_withheld_never_passes_for_a_secret() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/twilio-auth-token)"
    message = refusal(TWILIO_AUTH_TOKEN=reference)
    assert message == "TWILIO_AUTH_TOKEN is a Key Vault reference that could not be resolved"


def test_a_refusal_never_repeats_a_value() -> None:
    assert "hunter2" not in refusal(DATABASE_CONNECTIONS="hunter2", AUTH_PROFILE="hunter2")


def test_unknown_variables_do_not_matter_and_spaces_are_cut() -> None:
    assert read(LLM_MODEL="  gpt ", SOMETHING_ELSE="1").llm_model == "gpt"
