"""The part of composition that says whom we let in, and over which sockets we speak."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.adapters.oidc.profile import b2c_profile, external_id_profile, upstream_profile
from shared.adapters.oidc.token_validator import OidcTokenValidator
from shared.adapters.web_pubsub.service import WebPubSubService
from shared.settings import Settings


def token_validator(settings: Settings) -> OidcTokenValidator:
    """Checks the tokens of callers, operators and admins."""
    urls = [url.strip() for url in settings.auth_metadata_url.split(",")]
    if settings.auth_profile == "b2c":
        return OidcTokenValidator(b2c_profile(urls, settings.auth_audience))
    return OidcTokenValidator(external_id_profile(urls[0], settings.auth_audience))


def upstream_validator(settings: Settings) -> OidcTokenValidator:
    """Checks the token that Web PubSub's managed identity brings with each event."""
    return OidcTokenValidator(
        upstream_profile(
            settings.web_pubsub_upstream_issuer,
            settings.web_pubsub_upstream_audience,
            settings.web_pubsub_upstream_client_id,
        ),
        cache_entries=256,
    )


def web_pubsub_origins(settings: Settings) -> frozenset[str]:
    """The hosts that may announce events to us."""
    endpoint = settings.web_pubsub_endpoint or dict(
        part.split("=", 1) for part in settings.web_pubsub_connection_string.split(";") if "=" in part
    ).get("Endpoint", "")
    hosts = {urlsplit(url).hostname for url in (endpoint, settings.web_pubsub_public_url)}
    return frozenset(host for host in hosts if host)


def hub(settings: Settings, name: str) -> WebPubSubService:
    return WebPubSubService(
        name,
        connection_string=settings.web_pubsub_connection_string,
        endpoint=settings.web_pubsub_endpoint,
        client_id=settings.azure_client_id,
    )
