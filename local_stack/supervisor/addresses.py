"""Where everything of the stack is: ports, state folder, public addresses, taken from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

ROOT = Path(__file__).resolve().parents[2]
_LARGEST_PORT = 65535

# Port name → (environment variable, default).
PORTS = {
    "app": ("APP_PORT", 7071),
    "web_pubsub": ("LOCAL_WEB_PUBSUB_PORT", 7080),
    "speech": ("LOCAL_SPEECH_PORT", 7081),
    "identity": ("LOCAL_IDENTITY_PORT", 7082),
    "phones": ("LOCAL_PHONES_PORT", 7083),
    "chroma": ("LOCAL_CHROMA_PORT", 7084),
    "azurite_blob": ("LOCAL_AZURITE_BLOB_PORT", 7110),
    "azurite_queue": ("LOCAL_AZURITE_QUEUE_PORT", 7111),
    "azurite_table": ("LOCAL_AZURITE_TABLE_PORT", 7112),
    "redis": ("LOCAL_REDIS_PORT", 7379),
    "postgres": ("LOCAL_POSTGRES_PORT", 7432),
}


class ConfigurationError(Exception):
    """A setting of the stack cannot be used; the text is one line that names it."""


@dataclass(frozen=True)
class Addresses:
    """The places of one local stack."""

    state_dir: Path
    """Folder of everything that the stack keeps; absolute."""
    ports: dict[str, int]
    host: Literal["local", "func"] = "local"
    """What runs the function app: our own host, or Azure Functions Core Tools."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read `*_PORT`, `LOCAL_STATE_DIR` and `HOST`.

        Raises:
            ConfigurationError: a port is no port or used twice, or HOST is unknown.
        """
        ports = {}
        for name, (variable, default) in PORTS.items():
            ports[name] = _read_port(variable, environment.get(variable) or str(default))
        by_number: dict[int, str] = {}
        for name, number in ports.items():
            if number in by_number:
                first, second = PORTS[by_number[number]][0], PORTS[name][0]
                raise ConfigurationError(f"{first} and {second} are both {number}: change one of them")
            by_number[number] = name
        host = environment.get("HOST") or "local"
        if host not in ("local", "func"):
            raise ConfigurationError(f"HOST is {host!r}: leave it out, or say HOST=func for Core Tools")
        state_dir = Path(environment.get("LOCAL_STATE_DIR") or ROOT / ".local").absolute()
        return cls(state_dir, ports, "func" if host == "func" else "local")

    def url(self, name: str, scheme: str = "http") -> str:
        """Return the address of a part, as a browser on this machine would write it."""
        return f"{scheme}://localhost:{self.ports[name]}"

    @property
    def log_dir(self) -> Path:
        """Folder of the log files, one a part."""
        return self.state_dir / "logs"


def _read_port(variable: str, text: str) -> int:
    number = int(text) if re.fullmatch("[0-9]{1,5}", text) else 0
    if not 0 < number <= _LARGEST_PORT:
        raise ConfigurationError(f"{variable} is {text!r}: a port is a number from 1 to {_LARGEST_PORT}")
    return number
