"""Holds the app settings a function app sees: the environment, over `Values` of local.settings.json."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from local_stack.functions_host.errors import HostConfigurationError

_PLACEHOLDER = re.compile(r"%([^%\s]+)%")

# What Azure Functions Core Tools give to a worker; an app may look at them.
_HOST_DEFAULTS = {
    "FUNCTIONS_WORKER_RUNTIME": "python",
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
}


def load_app_settings(app_root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return all app settings of the app in `app_root`; the environment wins over the file.

    Raises: HostConfigurationError if local.settings.json is not a JSON object of strings.
    """
    settings = dict(_HOST_DEFAULTS)
    settings.update(_file_values(app_root / "local.settings.json"))
    settings.update(environment)
    return settings


def publish_app_settings(settings: Mapping[str, str]) -> None:
    """Put into the environment what only the file or the host knows, as the Functions worker sees it."""
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def expand_placeholders(text: str, settings: Mapping[str, str], where: str) -> str:
    """Replace each `%NAME%` in `text` by the app setting NAME (case-insensitive, as on Azure).

    Raises: HostConfigurationError naming `where` if a setting does not exist.
    """
    if "%" not in text:
        return text
    by_folded_name = {name.casefold(): value for name, value in settings.items()}

    def value_of(match: re.Match[str]) -> str:
        value = by_folded_name.get(match.group(1).casefold())
        if value is None:
            raise HostConfigurationError(f"{where}: no app setting '{match.group(1)}' for {match.group(0)}")
        return value

    return _PLACEHOLDER.sub(value_of, text)


def _file_values(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise HostConfigurationError(f"{path.name} is not valid JSON: {error}") from None
    values = content.get("Values", {}) if isinstance(content, dict) else None
    if not isinstance(values, dict):
        raise HostConfigurationError(f"{path.name} must be an object with an object 'Values'")
    for name, value in values.items():
        if not isinstance(value, str):
            raise HostConfigurationError(f"{path.name}: value of '{name}' must be a string")
    return values
