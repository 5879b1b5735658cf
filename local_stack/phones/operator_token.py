"""How a script on this machine gets a token for the app's API: as a service, from the local issuer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import aiohttp

CLIENT_ID: Final = "voice-agent-daemon"
CREDENTIAL_VARIABLE: Final = "LOCAL_IDENTITY_CLIENT_SECRET"
KEPT_SECRETS: Final = "secrets.json"
"""What the local stack made up at its first start, below the state folder."""
_KEPT_NAME: Final = "identity_client_secret"
_AUTHORITY: Final = "/b2c/voice.onmicrosoft.com/b2c_1_signin"
_SCOPE: Final = "voice-agent-api/.default"
_TIMEOUT_S: Final = 5.0


class NoToken(Exception):
    """No token could be had; the message is one line."""


async def operator_token(session: aiohttp.ClientSession, issuer_url: str, state_dir: Path) -> str:
    """An access token with the role `operator`, by client credentials. Raises: NoToken."""
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": _secret(state_dir),
        "scope": _SCOPE,
    }
    url = f"{issuer_url.rstrip('/')}{_AUTHORITY}/oauth2/v2.0/token"
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with session.post(url, data=form, timeout=timeout) as response:
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise NoToken(f"the issuer at {issuer_url} gives no token: {error or type(error).__name__}") from None
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not token:
        raise NoToken(f"the issuer at {issuer_url} refused: {answer}")
    return str(token)


def _secret(state_dir: Path) -> str:
    if secret := os.environ.get(CREDENTIAL_VARIABLE):
        return secret
    kept = state_dir / KEPT_SECRETS
    try:
        return str(json.loads(kept.read_text(encoding="utf-8"))[_KEPT_NAME])
    except (OSError, ValueError, KeyError, TypeError):
        raise NoToken(f"{CREDENTIAL_VARIABLE} is not set and {kept} does not hold it") from None
