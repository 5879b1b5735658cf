"""What the endpoint is told: its keys, hubs, event handlers and limits, read once from a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

SYSTEM_EVENTS = ("connect", "connected", "disconnected")


class ConfigurationError(ValueError):
    """The configuration file says something the endpoint cannot follow; the message is one line."""


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """How the bearer token for upstream requests is got: OAuth 2.0 client credentials."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class EventHandler:
    """One upstream webhook of a hub. The first one that matches an event gets it."""

    url_template: str
    user_event_pattern: str = ""
    system_events: tuple[str, ...] = ()
    auth: ManagedIdentity | None = None


@dataclass(frozen=True, slots=True)
class HubSettings:
    """What a hub allows and who hears of its events."""

    anonymous_connect_policy: Literal["allow", "deny"] = "deny"
    event_handlers: tuple[EventHandler, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on memory and time.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits
    """

    max_frame_bytes: int = 1024 * 1024
    max_connections: int = 1000
    max_outbound_bytes: int = 16 * 1024 * 1024
    max_response_bytes: int = 16 * 1024 * 1024
    max_upstream_sockets: int = 512
    keep_alive_interval_s: float = 20.0
    recovery_window_s: float = 30.0
    max_unacked_messages: int = 1000
    max_unacked_bytes: int = 16 * 1024 * 1024
    retry_delays_s: tuple[float, ...] = (1.0, 3.0, 5.0)
    upstream_timeout_s: float = 100.0
    shutdown_grace_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole configuration. `endpoint` is the URL that connection strings name."""

    endpoint: str
    access_keys: tuple[str, ...]
    hubs: Mapping[str, HubSettings] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def hub(self, name: str) -> HubSettings:
        """Settings of a hub; a hub that nobody configured has no handlers and admits no anonymous client."""
        return self.hubs.get(name.lower(), HubSettings())


def read_configuration(path: Path) -> Configuration:
    """The configuration in a JSON file.

    Raises: ConfigurationError if the file is missing or says something wrong.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from error
    return parse_configuration(document)


def parse_configuration(document: object) -> Configuration:
    """The configuration in a decoded JSON document.

    Raises: ConfigurationError, naming the place.
    """
    root = _object(document, "configuration", {"endpoint", "accessKeys", "hubs", "limits"})
    endpoint = _web_url(root.get("endpoint"), "endpoint").rstrip("/")
    keys = root.get("accessKeys")
    if not isinstance(keys, list) or len(keys) not in (1, 2) or not all(isinstance(k, str) and k for k in keys):
        raise ConfigurationError("accessKeys must be a list of one or two non-empty strings")
    hubs = _object(root.get("hubs", {}), "hubs")
    return Configuration(
        endpoint=endpoint,
        access_keys=tuple(keys),
        hubs={name.lower(): _hub(name, value) for name, value in hubs.items()},
        limits=_limits(root.get("limits", {})),
    )


def _hub(name: str, value: object) -> HubSettings:
    where = f"hubs.{name}"
    hub = _object(value, where, {"anonymousConnectPolicy", "eventHandlers"})
    policy = hub.get("anonymousConnectPolicy", "deny")
    if policy not in ("allow", "deny"):
        raise ConfigurationError(f"{where}.anonymousConnectPolicy must be allow or deny, not {policy!r}")
    handlers = hub.get("eventHandlers", [])
    if not isinstance(handlers, list):
        raise ConfigurationError(f"{where}.eventHandlers must be a list")
    return HubSettings(
        anonymous_connect_policy="allow" if policy == "allow" else "deny",
        event_handlers=tuple(_handler(f"{where}.eventHandlers[{i}]", h) for i, h in enumerate(handlers)),
    )


def _handler(where: str, value: object) -> EventHandler:
    handler = _object(value, where, {"urlTemplate", "userEventPattern", "systemEvents", "auth"})
    template = _web_url(handler.get("urlTemplate"), f"{where}.urlTemplate")
    if "{" in urlsplit(template).netloc:
        raise ConfigurationError(f"{where}.urlTemplate may not have parameters in its host name")
    events = handler.get("systemEvents", [])
    if not isinstance(events, list) or any(event not in SYSTEM_EVENTS for event in events):
        raise ConfigurationError(f"{where}.systemEvents may hold {', '.join(SYSTEM_EVENTS)} only")
    return EventHandler(
        url_template=template,
        user_event_pattern=_text(handler.get("userEventPattern", ""), f"{where}.userEventPattern"),
        system_events=tuple(events),
        auth=_auth(f"{where}.auth", handler.get("auth")),
    )


def _auth(where: str, value: object) -> ManagedIdentity | None:
    if value is None:
        return None
    known = {"type", "tokenUrl", "clientId", "clientSecret", "scope", "audience"}
    auth = _object(value, where, known)
    kind = str(auth.get("type", "None")).lower()
    if kind == "none":
        return None
    if kind != "managedidentity":
        raise ConfigurationError(f"{where}.type must be None or ManagedIdentity")
    return ManagedIdentity(
        token_url=_web_url(auth.get("tokenUrl"), f"{where}.tokenUrl"),
        client_id=_text(auth.get("clientId"), f"{where}.clientId"),
        client_secret=_text(auth.get("clientSecret"), f"{where}.clientSecret"),
        scope=_text(auth.get("scope", ""), f"{where}.scope"),
        audience=_text(auth.get("audience", ""), f"{where}.audience"),
    )


_LIMIT_NAMES = {
    "maxFrameBytes": "max_frame_bytes",
    "maxConnections": "max_connections",
    "maxOutboundBytes": "max_outbound_bytes",
    "maxResponseBytes": "max_response_bytes",
    "maxUpstreamSockets": "max_upstream_sockets",
    "keepAliveIntervalSeconds": "keep_alive_interval_s",
    "recoveryWindowSeconds": "recovery_window_s",
    "maxUnackedMessages": "max_unacked_messages",
    "maxUnackedBytes": "max_unacked_bytes",
    "upstreamTimeoutSeconds": "upstream_timeout_s",
    "shutdownGraceSeconds": "shutdown_grace_s",
}


def _limits(value: object) -> Limits:
    given = _object(value, "limits", {*_LIMIT_NAMES, "retryDelaysSeconds"})
    fields: dict[str, Any] = {}
    for name, attribute in _LIMIT_NAMES.items():
        if name in given:
            fields[attribute] = _positive(given[name], f"limits.{name}", whole="Seconds" not in name)
    delays = given.get("retryDelaysSeconds", list(Limits().retry_delays_s))
    if not isinstance(delays, list):
        raise ConfigurationError("limits.retryDelaysSeconds must be a list of seconds")
    fields["retry_delays_s"] = tuple(_positive(d, "limits.retryDelaysSeconds", whole=False) for d in delays)
    return Limits(**fields)


def _object(value: object, where: str, known: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{where} must be an object")
    unknown = sorted(set(value) - known) if known is not None else []
    if unknown:
        raise ConfigurationError(f"{where} has unknown entries: {', '.join(unknown)}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{where} must be a string")
    return value


def _web_url(value: object, where: str) -> str:
    url = _text(value, where)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{where} must be an absolute http or https URL")
    return url


def _positive(value: object, where: str, *, whole: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or value <= 0:
        raise ConfigurationError(f"{where} must be a positive {'whole ' if whole else ''}number")
    return value
