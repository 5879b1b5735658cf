"""One list of settings: what Azure gives, the sample names and the app reads are the same names."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields

import pytest

from shared.domain.errors import InvalidRequest
from shared.settings import Settings
from tests.infra.bicep_source import MAIN, ROOT, app_settings, code, optional_settings

SAMPLE: dict[str, str] = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
READ = {field.name.upper() for field in fields(Settings)}
NEEDED = {field.name.upper() for field in fields(Settings) if field.default is MISSING}

# Read by the Functions host or an SDK, not by shared/settings.py.
HOST = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsDisableHomepage",
    "AzureWebJobsStorage",
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "FUNCTIONS_WORKER_RUNTIME",
    "TASKHUB_NAME",
}
# With keys or for one machine: never on Azure.
LOCAL_ONLY = {
    "AzureWebJobsStorage",
    "AZURE_SEARCH_API_KEY",
    "BLOB_CONNECTION_STRING",
    "CHROMA_TOKEN",
    "CHROMA_URL",
    "FALLBACK_OPENAI_API_KEY",
    "FALLBACK_OPENAI_BASE_URL",
    "FUNCTIONS_WORKER_RUNTIME",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "WEB_LOOPBACK",
    "WEB_PUBSUB_CONNECTION_STRING",
}
# On Azure the app's own default holds, unless extraSettings says otherwise.
DEFAULTED = {
    "AZURE_OPENAI_API_VERSION",
    "CLIENT_TOKEN_MINUTES",
    "CONNECT_ACCESS_KEY_ID",  # this one and the rest of Connect's where there is an instance: `connectSettings`
    "CONNECT_API_BASE_URL",
    "CONNECT_FLOW_ID",
    "CONNECT_INSTANCE_ARNS",
    "CONNECT_LISTENING",
    "CONNECT_SECRET_ACCESS_KEY",
    "CONNECT_WEBHOOK_SECRET",
    "CONNECT_WEBHOOK_SECRET_PREVIOUS",
    "DATABASE_CONNECTIONS",
    "FALLBACK_LLM_MODEL",
    "FALLBACK_STT_MODEL",
    "FALLBACK_TTS_MODEL",
    "FALLBACK_TTS_VOICE",
    "LLM_CLIENT",
    "LONGEST_CALL_S",
    "PROVIDER_RECORDINGS_DELETE",
    "LLM_PROVIDER",
    "SAMVAAD_API_KEY",  # this one and the rest of the voice agents' where there are any: `samvaadSettings`
    "SAMVAAD_APP_ID",
    "SAMVAAD_APP_VERSION",
    "SAMVAAD_BASE_URL",
    "SAMVAAD_CONNECTION_ID",
    "SAMVAAD_ORG_ID",
    "SAMVAAD_SIGNING_SECRET",
    "SAMVAAD_SIGNING_SECRET_PREVIOUS",
    "SAMVAAD_WEBHOOK_SECRET",
    "SAMVAAD_WEBHOOK_SECRET_PREVIOUS",
    "SAMVAAD_WORKSPACE_ID",
    "SARVAM_API_KEY",  # where there is an account: `sarvamSettings`, with the providers
    "SARVAM_BASE_URL",
    "SARVAM_LLM_MODEL",
    "SARVAM_TTS_MODEL",
    "SARVAM_TTS_SPEAKER",
    "SARVAM_TTS_TRANSPORT",
    "STT_PROVIDER",
    "TTS_PROVIDER",
    "TTS_VOICE",
    "TOOL_SECRETS",  # where there are any: `toolSettings`
    # An unresolved Key Vault reference would be a token that anyone can guess: given only while rotating.
    "TWILIO_AUTH_TOKEN_PREVIOUS",
    # For who has them: they hold secrets, so they are given as Key Vault references.
    "TWILIO_SHARED_KEYS",
    "TWILIO_SUBACCOUNTS",
    "VONAGE_API_BASE_URL",
    "VONAGE_API_KEY",  # this one and the rest of Vonage's where there is an account: `vonageSettings`
    "VONAGE_APPLICATION_ID",
    "VONAGE_PRIVATE_KEY",
    "VONAGE_SIGNATURE_SECRET",
    "VONAGE_SIGNATURE_SECRET_PREVIOUS",
}
DEFAULTED |= {
    "AZURE_SEARCH_ENDPOINT",  # this one and the rest where there is a search service: `knowledgeSettings`
    "AZURE_SEARCH_RANKING",
    "DOCUMENTS_CONTAINER",
    "EMBEDDING_DIMENSIONS",
    "EMBEDDING_MODEL",
    "KNOWLEDGE_INDEX",
    "KNOWLEDGE_PROVIDER",
}
# Refused or ignored by the Flex Consumption plan, which has functionAppConfig instead.
# Source: https://learn.microsoft.com/azure/azure-functions/functions-app-settings
NOT_ON_FLEX = {
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_RUN_FROM_PACKAGE",
}


def _plain(names: set[str]) -> set[str]:
    """Without those that address a part of a setting of the host (`A__b`)."""
    return {name for name in names if "__" not in name}


def test_sample_names_all_that_is_read_and_nothing_else() -> None:
    assert _plain(set(SAMPLE)) == READ | HOST


def test_azure_gives_all_that_is_read_and_nothing_else() -> None:
    assert _plain(set(app_settings())) == (READ | HOST) - LOCAL_ONLY - DEFAULTED


@pytest.mark.parametrize(
    ("variable", "secrets"),
    [
        ("vonageSettings", {"VONAGE_SIGNATURE_SECRET", "VONAGE_PRIVATE_KEY"}),
        ("connectSettings", {"CONNECT_WEBHOOK_SECRET", "CONNECT_SECRET_ACCESS_KEY"}),
        ("sarvamSettings", {"SARVAM_API_KEY"}),
        ("knowledgeSettings", set()),
        ("toolSettings", {"TOOL_SECRETS"}),
        ("samvaadSettings", {"SAMVAAD_API_KEY", "SAMVAAD_WEBHOOK_SECRET", "SAMVAAD_SIGNING_SECRET"}),
    ],
)
def test_what_is_asked_for_besides_is_read_and_its_secrets_stay_in_the_vault(
    variable: str, secrets: set[str]
) -> None:
    given = optional_settings(variable)
    assert set(given) <= READ & DEFAULTED
    assert {name for name, value in given.items() if "Microsoft.KeyVault" in value} == secrets


def test_what_may_be_asked_for_reaches_the_app() -> None:
    main = code(MAIN)
    joined = re.search(r"settings: union\((.+)\)", main)
    assert joined
    assert set(re.findall(r"var (\w+Settings) =", main)) <= set(joined[1].split(", "))


def test_azure_leaves_no_needed_setting_to_a_default() -> None:
    assert set(app_settings()) >= NEEDED


def test_app_accepts_the_sample() -> None:
    settings = Settings.from_environment(SAMPLE)
    assert settings.web_pubsub_connection_string
    assert settings.blob_connection_string
    assert settings.openai_provider == "openai"


def _allowed(parameter: str) -> list[str]:
    found = re.search(rf"@allowed\(\[(.+)\]\)\nparam {parameter} ", code(MAIN))
    assert found
    return re.findall(r"'(\w+)'", found[1])


@pytest.mark.parametrize("profile", _allowed("authProfile"))
@pytest.mark.parametrize("fallback", re.findall(r"'(\w+)'", app_settings()["FALLBACK_OPENAI_PROVIDER"]))
def test_app_accepts_what_azure_gives(profile: str, fallback: str) -> None:
    given = {name: _resolved(text.strip("'")) for name, text in app_settings().items()}
    settings = Settings.from_environment(given | {"AUTH_PROFILE": profile, "FALLBACK_OPENAI_PROVIDER": fallback})
    assert settings.openai_provider == "azure_openai"
    assert settings.database_auth == settings.redis_auth == "entra"
    assert not settings.web_pubsub_connection_string
    assert not settings.blob_connection_string


def _resolved(value: str) -> str:
    """What the app gets to see: Azure puts the secret in the place of a reference to it."""
    return "a secret" if value.startswith("@Microsoft.KeyVault(") else value


def test_app_refuses_a_secret_that_azure_could_not_read() -> None:
    given = {name: text.strip("'") for name, text in app_settings().items()}
    with pytest.raises(InvalidRequest, match="TWILIO_AUTH_TOKEN is a Key Vault reference"):
        Settings.from_environment(given | {"AUTH_PROFILE": "b2c", "FALLBACK_OPENAI_PROVIDER": "none"})


def test_nothing_that_flex_refuses() -> None:
    assert not NOT_ON_FLEX & set(app_settings())


def test_no_setting_on_azure_holds_a_secret() -> None:
    secretive = re.compile(
        r"password|accountkey|accesskey|sharedaccess|[?&;](sig|code|key)=|://[^/'@]*:[^/'@$]*@", re.I
    )
    for name, value in app_settings().items():
        assert not secretive.search(value), name
        if re.search(r"TOKEN|SECRET|PASSWORD|KEY", name):
            assert value.startswith("'@Microsoft.KeyVault(SecretUri="), f"{name} is not a Key Vault reference"


def test_only_identities_open_the_stores() -> None:
    settings = app_settings()
    assert "sslmode=require" in settings["DATABASE_URL"]
    assert settings["REDIS_URL"].startswith("'rediss://")
    assert settings["AzureWebJobsStorage__credential"] == "'managedidentity'"
    assert "Authorization=AAD" in settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    assert "Authentication=ManagedIdentity" in settings["DURABLE_TASK_SCHEDULER_CONNECTION_STRING"]


def test_sample_values_are_text_and_point_to_this_machine_only() -> None:
    for name, value in SAMPLE.items():
        assert isinstance(value, str), f"{name}: the host wants text"
        for host in re.findall(r"://(?:[^@/;]*@)?([^:/;]+)", value):
            assert host in {"localhost", "127.0.0.1"}, name
