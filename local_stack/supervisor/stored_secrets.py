"""The secrets of one local stack: made up at its first start, kept in one file that only its owner reads."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from local_stack.supervisor.addresses import ConfigurationError


@dataclass(frozen=True)
class StoredSecrets:
    """What the parts share with each other and nobody else knows."""

    web_pubsub_key: str
    twilio_account_sid: str
    twilio_auth_token: str
    identity_client_secret: str


def open_secrets(state_dir: Path) -> StoredSecrets:
    """Return the kept secrets; whichever are missing are made up and kept.

    Raises:
        ConfigurationError: the file is damaged.
    """
    path = state_dir / "secrets.json"
    try:
        kept: dict[str, str] = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    except ValueError as problem:
        raise ConfigurationError(f"{path} is damaged: remove it, or all state with make clean") from problem
    fresh = _make_up()
    known = {field.name for field in fields(StoredSecrets)}
    result = StoredSecrets(**(asdict(fresh) | {name: kept[name] for name in known & kept.keys()}))
    if asdict(result) != kept:
        _write(path, json.dumps(asdict(result), indent=2) + "\n")
    return result


def _make_up() -> StoredSecrets:
    return StoredSecrets(
        web_pubsub_key=base64.b64encode(secrets.token_bytes(32)).decode("ascii"),
        twilio_account_sid="AC" + secrets.token_hex(16),
        twilio_auth_token=secrets.token_hex(16),
        identity_client_secret=secrets.token_urlsafe(32),
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
