"""Every setting that the local stack gives to the function app."""

from __future__ import annotations

import json
from pathlib import Path

from local_stack.supervisor.addresses import Addresses, ConfigurationError
from local_stack.supervisor.stored_secrets import StoredSecrets

# Published by Microsoft for its emulator; the same on every machine and worth nothing elsewhere.
# Source: https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key
_AZURITE_ACCOUNT = "devstoreaccount1"
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

API_AUDIENCE = "voice-agent-api"
AUTHORITY = "/b2c/voice.onmicrosoft.com/b2c_1_signin"
ENTRA_TENANT_ID = "5f0c2f1e-0b2c-4000-8000-0000000000e1"
WEB_PUBSUB_IDENTITY = "local-web-pubsub"
CLIENT_HUB = "clients"
CARRIER_HUB = "carriers"
RELAY_HUB = "relays"
CONNECT_INSTANCE_ARN = "arn:aws:connect:us-east-1:000000000000:instance/00000000-0000-4000-8000-00000000c0de"
CONNECT_FLOW_ID = "00000000-0000-4000-8000-0000000f1030"
VONAGE_HUB = "vonage"


def app_settings(addresses: Addresses, secrets: StoredSecrets) -> dict[str, str]:
    """Return the app settings, by name."""
    storage = storage_connection_string(addresses)
    ports = addresses.ports
    settings = {
        "PUBLIC_BASE_URL": addresses.url("app"),
        "DATABASE_URL": f"postgresql://voice@127.0.0.1:{ports['postgres']}/voice",
        "REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
        "BLOB_CONNECTION_STRING": storage,
        "AzureWebJobsStorage": storage,
        "AzureWebJobsDisableHomepage": "true",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "TASKHUB_NAME": "voice",
        "WEB_PUBSUB_CONNECTION_STRING": (
            f"Endpoint=http://localhost;Port={ports['web_pubsub']};AccessKey={secrets.web_pubsub_key};Version=1.0;"
        ),
        "WEB_PUBSUB_PUBLIC_URL": addresses.url("web_pubsub", "ws"),
        "WEB_PUBSUB_CLIENT_HUB": CLIENT_HUB,
        "WEB_PUBSUB_CARRIER_HUB": CARRIER_HUB,
        "WEB_PUBSUB_RELAY_HUB": RELAY_HUB,
        "WEB_PUBSUB_VONAGE_HUB": VONAGE_HUB,
        "WEB_PUBSUB_UPSTREAM_ISSUER": f"{addresses.url('identity')}/entra/{ENTRA_TENANT_ID}/v2.0",
        "WEB_PUBSUB_UPSTREAM_AUDIENCE": API_AUDIENCE,
        "WEB_PUBSUB_UPSTREAM_CLIENT_ID": WEB_PUBSUB_IDENTITY,
        "AUTH_PROFILE": "b2c",
        "AUTH_METADATA_URL": (f"{addresses.url('identity')}{AUTHORITY}/v2.0/.well-known/openid-configuration"),
        "AUTH_AUDIENCE": API_AUDIENCE,
        "AUTH_CLIENT_ID": "voice-agent-talk",
        "AUTH_SCOPE": f"{API_AUDIENCE}/talk",
        "OPENAI_PROVIDER": "openai",
        "OPENAI_BASE_URL": f"{addresses.url('speech')}/v1",
        "OPENAI_API_KEY": "local",
        "LLM_MODEL": "local",
        "STT_MODEL": "local",
        "TTS_MODEL": "local",
        "TTS_VOICE": "default",
        "EMBEDDING_MODEL": "local",
        "KNOWLEDGE_PROVIDER": "chroma",
        "CHROMA_URL": f"http://127.0.0.1:{ports['chroma']}",
        "SARVAM_API_KEY": "local",
        "SARVAM_BASE_URL": f"{addresses.url('speech')}/sarvam",
        "FALLBACK_OPENAI_PROVIDER": "openai",
        "FALLBACK_OPENAI_BASE_URL": f"{addresses.url('speech')}/fallback/v1",
        "FALLBACK_OPENAI_API_KEY": "local",
        "WEB_LOOPBACK": "on",
        "SEALING_KEYS": json.dumps({"local": secrets.sealing_key}),
    }
    of_host = _core_tools_settings() if addresses.host == "func" else {}
    return settings | _carrier_settings(addresses, secrets) | of_host


def own_settings(state_dir: Path) -> dict[str, str]:
    """Return what stands in `app_settings.json` of the state folder and takes the place of the stack's own: another
    provider of models, say, or the secrets of tools.

    Raises:
        ConfigurationError: it is no JSON object of texts.
    """
    path = state_dir / "app_settings.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as problem:
        raise ConfigurationError(f"{path} is not JSON: {problem}") from problem
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ConfigurationError(f"{path} is not an object of names and texts")
    return found


def _carrier_settings(addresses: Addresses, secrets: StoredSecrets) -> dict[str, str]:
    """Return what joins the app to its simulated telephone providers."""
    return {
        "TWILIO_ACCOUNT_SID": secrets.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": secrets.twilio_auth_token,
        "TWILIO_SHARED_KEYS": json.dumps({"webhooks_sharedkey_local": secrets.twilio_shared_key}),
        "TWILIO_API_BASE_URL": addresses.url("phones"),
        "VONAGE_API_KEY": secrets.vonage_api_key,
        "VONAGE_SIGNATURE_SECRET": secrets.vonage_signature_secret,
        "VONAGE_APPLICATION_ID": secrets.vonage_application_id,
        "VONAGE_PRIVATE_KEY": secrets.vonage_private_key.replace("\n", "\\n"),
        "VONAGE_API_BASE_URL": addresses.url("phones"),
        "CONNECT_INSTANCE_ARNS": CONNECT_INSTANCE_ARN,
        "CONNECT_WEBHOOK_SECRET": secrets.connect_webhook_secret,
        "CONNECT_ACCESS_KEY_ID": secrets.connect_access_key_id,
        "CONNECT_SECRET_ACCESS_KEY": secrets.connect_secret_access_key,
        "CONNECT_FLOW_ID": CONNECT_FLOW_ID,
        "CONNECT_API_BASE_URL": addresses.url("phones"),
        "SAMVAAD_API_KEY": secrets.samvaad_api_key,
        "SAMVAAD_ORG_ID": "local",
        "SAMVAAD_WORKSPACE_ID": "local",
        "SAMVAAD_APP_ID": "nora",
        "SAMVAAD_APP_VERSION": "1",
        "SAMVAAD_CONNECTION_ID": "local",
        "SAMVAAD_WEBHOOK_SECRET": secrets.samvaad_webhook_secret,
        "SAMVAAD_SIGNING_SECRET": secrets.samvaad_signing_secret,
        "SAMVAAD_BASE_URL": addresses.url("phones"),
    }


def storage_connection_string(addresses: Addresses) -> str:
    """Return the connection string of Azurite's three services."""
    ports = addresses.ports
    endpoints = "".join(
        f"{service.capitalize()}Endpoint=http://127.0.0.1:{ports[f'azurite_{service}']}/{_AZURITE_ACCOUNT};"
        for service in ("blob", "queue", "table")
    )
    account = f"AccountName={_AZURITE_ACCOUNT};AccountKey={_AZURITE_KEY};"
    return f"DefaultEndpointsProtocol=http;{account}{endpoints}"


def _core_tools_settings() -> dict[str, str]:
    """Return what turns host.json's scheduler into a store that Azurite can be."""
    prefix = "AzureFunctionsJobHost__extensions__durableTask__storageProvider__"
    return {f"{prefix}type": "AzureStorage", f"{prefix}connectionStringName": "AzureWebJobsStorage"}
