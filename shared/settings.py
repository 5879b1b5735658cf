"""Every setting of the app, typed, with its unit and range; read once from the environment.

The environment variable of a field is its name in capitals (`database_url` is `DATABASE_URL`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from shared.domain.errors import InvalidRequest

_UNRESOLVED = "@Microsoft.KeyVault("
"""What Azure leaves in a setting whose secret it cannot read: it must never pass for the secret."""

_RANGES: dict[str, tuple[int, int]] = {
    "database_connections": (1, 100),
    "client_token_minutes": (1, 1440),
    "longest_call_s": (60, 14_400),
    "embedding_dimensions": (0, 3_072),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    public_base_url: str
    """Origin under which carriers reach this app; their signatures are checked over it."""

    database_url: str
    """PostgreSQL DSN; without a password where `database_auth` is `entra`."""
    database_auth: Literal["password", "entra"] = "password"
    database_connections: int = 4
    """Connections per worker process, 1–100."""

    redis_url: str
    """`redis://…` or `rediss://…`."""
    redis_auth: Literal["url", "entra"] = "url"

    blob_connection_string: str = ""
    """For one machine only; on Azure it is `blob_account_url` with the managed identity."""
    blob_account_url: str = ""
    recordings_container: str = "recordings"
    sounds_container: str = "sounds"
    """Where prepared sound is kept: greetings, fillers, apologies."""

    web_pubsub_connection_string: str = ""
    """For one machine only; on Azure it is `web_pubsub_endpoint` with the managed identity."""
    web_pubsub_endpoint: str = ""
    web_pubsub_public_url: str
    """`wss://…` origin that carriers and clients connect to."""
    web_pubsub_client_hub: str = "clients"
    web_pubsub_carrier_hub: str = "carriers"
    web_pubsub_relay_hub: str = "relays"
    """Sockets of carriers that hear and speak themselves, and bring words."""
    web_pubsub_vonage_hub: str = "vonage"
    """Vonage's media sockets, which bring a token of ours."""
    web_pubsub_upstream_issuer: str
    """Issuer of the tokens that Web PubSub's managed identity brings with its events."""
    web_pubsub_upstream_audience: str
    web_pubsub_upstream_client_id: str
    client_token_minutes: int = 60
    """Lifetime of a client's token for Web PubSub in minutes, 1–1440."""

    auth_profile: Literal["b2c", "external_id"] = "b2c"
    auth_metadata_url: str
    """OpenID metadata of the user flow; several, separated by commas, for several B2C policies."""
    auth_audience: str
    auth_client_id: str = ""
    """Client id of the talk page's app registration."""
    auth_scope: str = ""
    """Scope that the talk page asks for."""

    twilio_account_sid: str = ""
    """Empty where there is no Twilio account: its webhooks are refused then."""
    twilio_auth_token: str = ""
    twilio_auth_token_previous: str = ""
    """The token before, while it is being rotated."""
    twilio_shared_keys: str = ""
    """JSON object of key ids and secrets, where webhooks are signed with shared keys; two while they are rotated."""
    twilio_subaccounts: str = ""
    """JSON object: SID of each subaccount, with an object of `tokens` (the current one first), `tenants` whose calls
    alone may run over it (`"*"`: everybody's) and, where it has them, `shared_keys`.
    """
    twilio_api_base_url: str = "https://api.twilio.com"
    """A region has its own: `https://api.EDGE.REGION.twilio.com`."""

    vonage_api_key: str = ""
    """Empty where there is no Vonage account: its webhooks are refused then."""
    vonage_signature_secret: str = ""
    """The account's signature secret, which is not its API secret."""
    vonage_signature_secret_previous: str = ""
    """The secret before, while it is being rotated."""
    vonage_application_id: str = ""
    vonage_private_key: str = ""
    """The application's RSA key in PEM; line ends may be written `\\n`."""
    vonage_api_base_url: str = "https://api.nexmo.com"

    connect_instance_arns: str = ""
    """Instances of Amazon Connect that may ask us, separated by commas; the first one is told what to do. Empty where
    there is none."""
    connect_webhook_secret: str = ""
    """With it our function on AWS signs what it brings."""
    connect_webhook_secret_previous: str = ""
    """The secret before, while it is being rotated."""
    connect_access_key_id: str = ""
    """Of the IAM user that may begin and end contacts and follow their audio (`infra/aws`)."""
    connect_secret_access_key: str = ""
    connect_flow_id: str = ""
    """The flow that outbound calls run."""
    connect_listening: Literal["off", "on"] = "off"
    """Whether both sides of a contact are written down as they speak, where its flow streams them."""
    connect_api_base_url: str = ""
    """Empty for AWS's own endpoints."""

    tool_secrets: str = ""
    """JSON object: id of each tenant, with an object of names and secrets (of 24 bytes or more, or `whsec_` and
    Base64) that sign the requests of its agents' tools.
    """
    sealing_keys: str = ""
    """JSON object of ids and keys (32 bytes in Base64), the present key first: under it what was really said and the
    secrets of webhooks are sealed, the others only open. Empty: raw transcripts are not kept, webhooks are refused.
    """
    web_loopback: Literal["off", "on"] = "off"
    """Whether addresses that tenants give may be on this machine, also by http; only where one develops."""

    openai_provider: Literal["openai", "azure_openai"] = "openai"
    openai_base_url: str = ""
    """Empty for OpenAI's own."""
    openai_api_key: str = ""
    azure_openai_endpoint: str = ""
    azure_openai_api_version: str = "2025-03-01-preview"
    llm_client: Literal["direct", "langchain"] = "direct"
    """How models are asked: by their protocol, or through LangChain, which takes three times the processor time."""
    llm_model: str = "gpt-4o-mini"
    """Model, or deployment on Azure OpenAI; the same for `stt_model` and `tts_model`."""
    stt_model: str = "gpt-4o-mini-transcribe"
    tts_model: str = "gpt-4o-mini-tts"
    tts_voice: str = "alloy"
    """Voice of agents that name none."""

    model_prices: str = ""
    """JSON object: cents per million tokens of each model, as `{"gpt-4o-mini": {"input": 15, "output": 60}}`, by its
    name or by `provider/model`. Models that are not named cost nothing.
    """

    stt_provider: Literal["openai", "openai_realtime", "sarvam", "sarvam_requests"] = "openai"
    """Who hears: requests to the OpenAI protocol, its realtime sessions, Sarvam's realtime socket, its requests."""
    tts_provider: Literal["openai", "sarvam"] = "openai"
    llm_provider: Literal["openai", "sarvam"] = "openai"
    """Who speaks and who thinks first; the OpenAI protocol stands behind Sarvam in need."""
    sarvam_api_key: str = ""
    sarvam_base_url: str = "https://api.sarvam.ai"
    sarvam_llm_model: str = "sarvam-105b"
    sarvam_tts_model: str = "bulbul:v3"
    sarvam_tts_speaker: str = "shubh"
    """Who speaks for agents that name no speaker of this model."""
    sarvam_tts_transport: Literal["stream", "socket"] = "stream"
    """How speech comes: by a request that is streamed, or over a socket that a call keeps."""

    samvaad_api_key: str = ""
    """Of the workspace of Sarvam's voice agents, which is not `sarvam_api_key`; empty where there is none."""
    samvaad_org_id: str = ""
    samvaad_workspace_id: str = ""
    samvaad_app_id: str = ""
    """The voice agent that places calls; an agent's manner may name another."""
    samvaad_app_version: str = ""
    samvaad_connection_id: str = ""
    """The connection to the telephone provider that carries those calls."""
    samvaad_webhook_secret: str = ""
    """What voice agents bear that ask us: at least 32 characters. Empty: they are refused."""
    samvaad_webhook_secret_previous: str = ""
    """The secret before, while it is being rotated."""
    samvaad_signing_secret: str = ""
    """Of the webhook that is saved in the workspace: what is told there must be signed then. Empty: it bears ours."""
    samvaad_signing_secret_previous: str = ""
    samvaad_base_url: str = "https://apps.sarvam.ai"

    fallback_openai_provider: Literal["none", "openai", "azure_openai"] = "none"
    """The second provider: asked when the first one fails, beside it when it is late."""
    fallback_openai_base_url: str = ""
    fallback_openai_api_key: str = ""
    fallback_azure_openai_endpoint: str = ""
    fallback_llm_model: str = ""
    """Empty: named as at the first provider; the same for its `stt_model`, `tts_model` and `tts_voice`."""
    fallback_stt_model: str = ""
    fallback_tts_model: str = ""
    fallback_tts_voice: str = ""

    knowledge_provider: Literal["none", "chroma", "azure_search"] = "none"
    """Where the passages of companies' documents are; `none`: documents are refused, nothing is looked up."""
    knowledge_index: str = "knowledge"
    """Begins the names of what is kept there; each embedding model needs an index of its own."""
    chroma_url: str = ""
    chroma_token: str = ""
    """Of a gateway before it, as bearer; Chroma itself asks for none."""
    azure_search_endpoint: str = ""
    azure_search_api_key: str = ""
    """Empty on Azure: there it is the managed identity."""
    azure_search_ranking: Literal["hybrid", "semantic"] = "hybrid"
    """Whether the service's own model orders what words and vectors found; it is charged for by the question."""
    documents_container: str = "documents"
    embedding_model: str = "text-embedding-3-small"
    """Model, or deployment on Azure OpenAI, of the provider that `openai_provider` names."""
    embedding_dimensions: int = 0
    """What its vectors are shortened to; 0: nothing."""

    otel_exporter_otlp_endpoint: str = ""
    """Where the figures of the turns go, over HTTP."""
    applicationinsights_connection_string: str = ""

    azure_client_id: str = ""
    """Client id of the app's user-assigned managed identity."""
    provider_recordings_delete: Literal["off", "on"] = "off"
    """Whether a provider's recording is removed there once we keep it, where the provider offers that (Twilio)."""
    longest_call_s: int = 3600
    """Seconds after which any call is ended, 60–14400."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises: InvalidRequest that names every setting that is missing or wrong."""
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for field in fields(cls):
            name = field.name.upper()
            given = environment.get(name, "").strip()
            if not given:
                if field.default is MISSING:
                    wrong.append(f"{name} is missing")
                continue
            if given.startswith(_UNRESOLVED):
                wrong.append(f"{name} is a Key Vault reference that could not be resolved")
                continue
            try:
                values[field.name] = _convert(field.name, given, hints[field.name])
            except ValueError as error:
                wrong.append(f"{name} {error}")
        if wrong:
            raise InvalidRequest("settings", "; ".join(wrong))
        return cls(**values)


def _convert(name: str, given: str, hint: Any) -> Any:
    if get_origin(hint) is Literal:
        if given not in get_args(hint):
            raise ValueError(f"must be one of {', '.join(get_args(hint))}")
        return given
    if hint is int:
        low, high = _RANGES[name]
        number = int(given) if given.isdecimal() and len(given) <= len(str(high)) else None
        if number is None or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return number
    return given
