"""The secret that requests are signed with: from Secrets Manager, from Parameter Store, or from the environment."""

from __future__ import annotations

import os
import time
from typing import Any

_KEPT_S = 300.0
"""After which it is read again, so that a rotation needs no deployment."""
_kept: dict[str, tuple[str, float]] = {}


class NoSecret(Exception):
    """None of the three is set, or it cannot be read and none is kept; the message is one line."""


def secret() -> str:
    """Raises: NoSecret."""
    given = os.environ.get("APP_SECRET")
    if given:
        return given
    name = os.environ.get("APP_SECRET_ARN") or os.environ.get("APP_SECRET_PARAMETER")
    if not name:
        raise NoSecret("set APP_SECRET_ARN, APP_SECRET_PARAMETER or APP_SECRET")
    known = _kept.get(name)
    if known is not None and time.monotonic() - known[1] < _KEPT_S:
        return known[0]
    try:
        fresh = _read(name)
    except Exception as error:
        if known is None:
            raise NoSecret(f"the secret cannot be read: {type(error).__name__}") from error
        fresh = known[0]
    _kept[name] = (fresh, time.monotonic())
    return fresh


def _read(name: str) -> str:
    if os.environ.get("APP_SECRET_ARN"):
        return str(_client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    return str(_client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def _client(service: str) -> Any:
    """Boto3 is part of Lambda's runtime; the function ships nothing of it."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(service, config=Config(connect_timeout=1, read_timeout=2, retries={"max_attempts": 2}))
