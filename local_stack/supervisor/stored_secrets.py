"""The secrets of one local stack: made up at its first start, kept in one file that only its owner reads."""

from __future__ import annotations

import base64
import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from local_stack.supervisor.addresses import ConfigurationError


@dataclass(frozen=True)
class StoredSecrets:
    """What the parts share with each other and nobody else knows."""

    web_pubsub_key: str
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_shared_key: str
    identity_client_secret: str
    connect_webhook_secret: str
    connect_access_key_id: str
    connect_secret_access_key: str
    samvaad_api_key: str
    samvaad_webhook_secret: str
    samvaad_signing_secret: str
    vonage_api_key: str
    vonage_signature_secret: str
    vonage_application_id: str
    vonage_private_key: str
    """RSA in PEM."""
    sealing_key: str
    """32 bytes in Base64, under which the app seals what others must not read."""


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
    fresh = _make_up(kept.get("vonage_private_key", ""))
    known = {field.name for field in fields(StoredSecrets)}
    result = StoredSecrets(**(asdict(fresh) | {name: kept[name] for name in known & kept.keys()}))
    if asdict(result) != kept:
        _write(path, json.dumps(asdict(result), indent=2) + "\n")
    return result


def _make_up(rsa_key: str) -> StoredSecrets:
    """`rsa_key`: the one that is there already, since making one takes long."""
    return StoredSecrets(
        web_pubsub_key=base64.b64encode(secrets.token_bytes(32)).decode("ascii"),
        twilio_account_sid="AC" + secrets.token_hex(16),
        twilio_auth_token=secrets.token_hex(16),
        twilio_shared_key=secrets.token_urlsafe(32),
        identity_client_secret=secrets.token_urlsafe(32),
        connect_webhook_secret=secrets.token_urlsafe(32),
        connect_access_key_id="AKIA" + secrets.token_hex(8).upper(),
        connect_secret_access_key=secrets.token_urlsafe(30),
        samvaad_api_key=secrets.token_hex(16),
        samvaad_webhook_secret=secrets.token_urlsafe(32),
        samvaad_signing_secret=secrets.token_urlsafe(32),
        vonage_api_key=secrets.token_hex(4),
        vonage_signature_secret=secrets.token_urlsafe(32),
        vonage_application_id=str(uuid.uuid4()),
        vonage_private_key=rsa_key or _rsa_key(),
        sealing_key=base64.b64encode(secrets.token_bytes(32)).decode("ascii"),
    )


def _rsa_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - slow import
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
