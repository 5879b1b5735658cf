"""Reads host.json with its `AzureFunctionsJobHost__a__b` overrides into typed options."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_stack.functions_host.app_settings import expand_placeholders
from local_stack.functions_host.errors import HostConfigurationError

_OVERRIDE_PREFIX = "azurefunctionsjobhost__"
_TIMESPAN = re.compile(r"^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?$")
_DEFAULT_TIMEOUT_S = 1800.0
_DEFAULT_BODY_LIMIT_BYTES = 104_857_600


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What this host honours of host.json.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json
    """

    route_prefix: str = "api"
    """Prefix of every HTTP route, without slashes; may be empty."""
    body_limit_bytes: int = _DEFAULT_BODY_LIMIT_BYTES
    """Largest request body; Azure's FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, 100 MB by default."""
    hub_name: str = "TestHubName"
    """Task hub; state of different hubs is kept apart."""
    max_concurrent_activities: int = 20
    """Activities that run at once in this process."""
    max_concurrent_orchestrators: int = 20
    """Upper limit for episodes at once; this host runs them one after another, so it is never reached."""
    function_timeout_s: float | None = _DEFAULT_TIMEOUT_S
    """How long one invocation may run; None is unlimited."""
    log_levels: Mapping[str, str] = field(default_factory=dict)
    """logging.logLevel: category to level name."""


def load_host_options(app_root: Path, settings: Mapping[str, str]) -> HostOptions:
    """Read host.json of `app_root`, apply overrides and `%NAME%`.

    Raises: HostConfigurationError for malformed JSON or values out of range.
    """
    path = app_root / "host.json"
    try:
        document = json.loads(path.read_text("utf-8-sig")) if path.is_file() else {}
    except ValueError as error:
        raise HostConfigurationError(f"host.json is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise HostConfigurationError("host.json must be a JSON object")
    document = _folded(document)
    for name, value in settings.items():
        if name.casefold().startswith(_OVERRIDE_PREFIX):
            _override(document, name[len(_OVERRIDE_PREFIX) :].casefold().split("__"), value)
    return _options(document, settings)


def parse_timespan_s(text: str, where: str) -> float | None:
    """Seconds of a .NET TimeSpan such as `00:05:00` or `1.00:00:00`; None for `-1` (unlimited).

    Raises: HostConfigurationError naming `where`.
    """
    if text.strip() in {"-1", "-00:00:01"}:
        return None
    match = _TIMESPAN.match(text.strip())
    if match is None:
        raise HostConfigurationError(f"{where}: '{text}' is not a time span like 00:05:00")
    days, hours, minutes, seconds, fraction = match.groups()
    whole = int(days or 0) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
    return whole + float(f"0.{fraction or 0}")


def _options(document: Mapping[str, Any], settings: Mapping[str, str]) -> HostOptions:
    http = _section(document, "extensions", "http")
    durable = _section(document, "extensions", "durabletask")
    default_concurrency = max(20, 10 * (os.cpu_count() or 1))
    timeout = document.get("functiontimeout")
    return HostOptions(
        route_prefix=_text(http.get("routeprefix", "api"), settings).strip("/"),
        body_limit_bytes=_integer(
            settings.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", _DEFAULT_BODY_LIMIT_BYTES),
            "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
        ),
        hub_name=_hub_name(_text(durable.get("hubname", "TestHubName"), settings)),
        max_concurrent_activities=_integer(
            _text(durable.get("maxconcurrentactivityfunctions", default_concurrency), settings),
            "maxConcurrentActivityFunctions",
        ),
        max_concurrent_orchestrators=_integer(
            durable.get("maxconcurrentorchestratorfunctions", default_concurrency),
            "maxConcurrentOrchestratorFunctions",
        ),
        function_timeout_s=(
            _DEFAULT_TIMEOUT_S if timeout is None else parse_timespan_s(str(timeout), "functionTimeout")
        ),
        log_levels={k: str(v) for k, v in _section(document, "logging", "loglevel").items()},
    )


def _text(value: object, settings: Mapping[str, str]) -> str:
    return expand_placeholders(str(value), settings, "host.json")


def _hub_name(name: str) -> str:
    # The widest rule of all backends: that of the Durable Task Scheduler. It is a file name here too.
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{2,63}", name):
        raise HostConfigurationError(f"host.json: hubName '{name}' must be 3 to 64 letters, digits and hyphens")
    return name


def _integer(value: object, where: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise HostConfigurationError(f"{where}: '{value}' is not a whole number") from None
    if number < 1:
        raise HostConfigurationError(f"{where}: {number} must be at least 1")
    return number


def _section(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    node: Any = document
    for name in names:
        node = node.get(name, {})
        if not isinstance(node, dict):
            raise HostConfigurationError(f"host.json: '{'.'.join(names)}' must be an object")
    return node  # type: ignore[no-any-return]


def _folded(value: Any) -> Any:
    """Lower-case all keys: configuration keys are case-insensitive in the Functions host."""
    if isinstance(value, dict):
        return {str(key).casefold(): _folded(item) for key, item in value.items()}
    return value


def _override(document: dict[str, Any], names: list[str], value: str) -> None:
    node = document
    for name in names[:-1]:
        inner = node.setdefault(name, {})
        if not isinstance(inner, dict):
            inner = node[name] = {}
        node = inner
    node[names[-1]] = value
