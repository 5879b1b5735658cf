"""What the settings leave out is left out, and nothing else with it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.composition import Services
from shared.composition.providers import Provider
from shared.domain.agents.models import ModelChoice, ModelProvider
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
    [("", "", ["clients"]), ("AC1", "", ["clients"]), ("AC1", "secret", ["carriers", "clients", "relays"])],
)
async def test_clients_are_let_in_whatever_carriers_there_are(account: str, token: str, hubs: list[str]) -> None:
    environment = {**NEEDED, "TWILIO_ACCOUNT_SID": account, "TWILIO_AUTH_TOKEN": token}
    assert sorted(Services(Settings.from_environment(environment)).media_gates) == hubs


AZURE = {"OPENAI_PROVIDER": "azure_openai", "AZURE_OPENAI_ENDPOINT": "https://first.example", "AZURE_CLIENT_ID": "id"}


def providers(**changes: str) -> tuple[Provider, ...]:
    return Services(Settings.from_environment(NEEDED | changes)).providers.all


def test_without_a_second_provider_the_first_one_tries_again() -> None:
    (only,) = providers(**AZURE, OPENAI_API_KEY="key")
    assert (only.name, only.wire.account.retries) == ("azure_openai", 1)
    assert (only.wire.account.client_id, only.wire.account.api_key) == ("id", "")


def test_a_second_provider_is_named_as_the_first_unless_it_says_otherwise() -> None:
    first, second = providers(
        **AZURE,
        LLM_MODEL="chat",
        TTS_MODEL="speech",
        FALLBACK_OPENAI_PROVIDER="openai",
        FALLBACK_OPENAI_API_KEY="key",
        FALLBACK_LLM_MODEL="gpt",
    )
    assert (second.name, second.llm_model, second.tts_model) == ("fallback_openai", "gpt", "speech")
    assert (second.wire.account.azure_endpoint, second.wire.account.api_key) == ("", "key")
    assert (first.wire.account.retries, second.wire.account.retries) == (0, 1)
    assert first.maker != second.maker


def test_two_regions_are_two_providers() -> None:
    first, second = providers(
        **AZURE, FALLBACK_OPENAI_PROVIDER="azure_openai", FALLBACK_AZURE_OPENAI_ENDPOINT="https://second.example"
    )
    assert {first.name, second.name} == {"azure_openai", "fallback_azure_openai"}
    assert second.wire.account.azure_endpoint == "https://second.example"
    assert second.wire.account.azure_api_version == first.wire.account.azure_api_version


@pytest.mark.parametrize("client", ["direct", "langchain"])
@pytest.mark.parametrize("fallback", ["none", "openai"])
def test_nothing_connects_when_the_parts_are_made(client: str, fallback: str) -> None:
    made = Services(
        Settings.from_environment(NEEDED | {"LLM_CLIENT": client, "FALLBACK_OPENAI_PROVIDER": fallback})
    ).providers
    assert all((made.language_model, made.speech_to_text, made.text_to_speech, made.prepared_sounds))


def test_sarvam_stands_before_the_others_where_it_is_chosen() -> None:
    chosen = {"SARVAM_API_KEY": "key", "LLM_PROVIDER": "sarvam", "TTS_PROVIDER": "sarvam", "STT_PROVIDER": "sarvam"}
    made = Services(Settings.from_environment(NEEDED | chosen)).providers
    assert list(made._models) == ["llm:sarvam", "llm:openai"]
    assert list(made.speech_to_text._hearings) == ["stt:sarvam", "stt:openai"]
    name, _, maker = made._first_voice
    assert (name, "bulbul:v3 shubh" in maker) == ("sarvam", True)
    assert made.text_to_speech is not None
    plain = Services(Settings.from_environment(NEEDED)).providers
    assert list(plain._models) == ["llm:openai"]
    assert plain._first_voice[0] == "openai"


def choice(provider: str, model: str = "", **more: float) -> ModelChoice:
    return ModelChoice(provider=ModelProvider(provider), model=model, **more)  # type: ignore[arg-type]


ALL = AZURE | {
    "OPENAI_API_KEY": "key",
    "LLM_MODEL": "chat",
    "FALLBACK_OPENAI_PROVIDER": "openai",
    "FALLBACK_OPENAI_BASE_URL": "https://groq.example/v1",
    "FALLBACK_OPENAI_API_KEY": "other",
    "SARVAM_API_KEY": "sarvam",
}


def chosen(environment: dict[str, str], *choices: ModelChoice) -> dict[str, Any]:
    made = Services(Settings.from_environment(NEEDED | environment)).providers
    models = made.language_model._chosen
    assert models is not None
    found = dict(models(choices))
    assert list(models(choices).values()) == list(found.values()), "made once, and kept"
    return found


def test_agents_choose_among_the_providers_that_the_settings_describe() -> None:
    found = chosen(
        ALL,
        choice("sarvam", temperature=0.9, max_tokens=50),
        choice("azure_openai", "small"),
        choice("openai", "gpt-4o"),
        choice("compatible", "llama"),
        choice("azure_openai"),
    )
    addresses = {name: model.wire.url("/chat/completions", model._model) for name, model in found.items()}
    version = "?api-version=2025-03-01-preview"
    azure = "https://first.example/openai/deployments"
    assert addresses == {
        "llm:sarvam": "https://api.sarvam.ai/v1/chat/completions",
        "llm:azure_openai:small": f"{azure}/small/chat/completions{version}",
        "llm:openai:gpt-4o": "https://api.openai.com/v1/chat/completions",
        "llm:fallback_openai:llama": "https://groq.example/v1/chat/completions",
        "llm:azure_openai": f"{azure}/chat/chat/completions{version}",
    }
    options = found["llm:sarvam"]._options
    assert (options["temperature"], options["max_tokens"]) == (0.9, 50)
    assert found["llm:openai:gpt-4o"]._options["max_completion_tokens"] == 300
    assert {model._retries for model in found.values()} == {0}


def test_an_agents_only_model_tries_again() -> None:
    found = chosen(AZURE, choice("azure_openai", "small"), choice("sarvam"))
    assert [model._retries for model in found.values()] == [None]


def test_models_that_are_not_set_up_are_told_of_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert chosen(AZURE, choice("sarvam"), choice("openai"), choice("compatible")) == {}
    assert len([record for record in caplog.records if "not set up" in record.message]) == 3


def test_agents_models_are_asked_through_langchain_where_that_is_chosen() -> None:
    found = chosen(
        ALL | {"LLM_CLIENT": "langchain"}, choice("azure_openai", "small", temperature=0.0), choice("sarvam")
    )
    spec = found["llm:azure_openai:small"]._spec
    assert (spec.model, spec.azure_endpoint, spec.temperature) == ("small", "https://first.example", 0.0)
    assert found["llm:sarvam"]._model == "sarvam-105b"
