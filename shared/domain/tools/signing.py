"""How a company's system knows that a request is ours, and on whose call it was made.

The body is signed as Standard Webhooks say. Who calls, in which call, for which tenant and to which address the
request goes stands in a signed token beside it, which binds the body by its hash: no model writes any of that.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, RFC 7515, RFC 7519
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.errors import InvalidRequest
from shared.domain.tools.requests import Prepared

_LEAST_BYTES = 24
_PREFIX = "whsec_"
_TOKEN_LIFETIME_S = 300
CONTEXT_HEADER = "voice-agent-context"


@dataclass(frozen=True, slots=True)
class Context:
    """`caller`: as the door has proved it. `key`: the same whenever this very call is made again."""

    tenant_id: str
    call_id: str
    caller: str
    tool: str
    key: str


def secret_bytes(secret: str) -> bytes:
    """Raises: InvalidRequest for one that is too short."""
    if secret.startswith(_PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except ValueError:
            raise InvalidRequest("settings", "TOOL_SECRETS: what follows whsec_ is Base64") from None
    else:
        key = secret.encode()
    if len(key) < _LEAST_BYTES:
        raise InvalidRequest("settings", f"TOOL_SECRETS: a secret has at least {_LEAST_BYTES} bytes")
    return key


def signature_headers(key: bytes, context: Context, sent: Prepared, at_s: int) -> dict[str, str]:
    """`at_s`: Unix epoch."""
    signed = b".".join((context.key.encode(), str(at_s).encode(), sent.body))
    return {
        "webhook-id": context.key,
        "webhook-timestamp": str(at_s),
        "webhook-signature": "v1," + base64.b64encode(_hmac(key, signed)).decode(),
        CONTEXT_HEADER: _token(
            key,
            {
                "iss": "voice-agent",
                "jti": context.key,
                "iat": at_s,
                "exp": at_s + _TOKEN_LIFETIME_S,
                "tenant_id": context.tenant_id,
                "call_id": context.call_id,
                "caller": context.caller,
                "tool": context.tool,
                "method": sent.method,
                "url": sent.url,
                "body_sha256": hashlib.sha256(sent.body).hexdigest(),
            },
        ),
    }


def _token(key: bytes, claims: Mapping[str, str | int]) -> str:
    """A JWT, HS256."""
    parts = [_unpadded(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": "HS256"}, claims)]
    signed = ".".join(parts)
    return f"{signed}.{_unpadded(_hmac(key, signed.encode()))}"


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def secrets_by_tenant(text: str) -> dict[str, dict[str, str]]:
    """TOOL_SECRETS: a JSON object of tenant ids, each with an object of names and secrets. Raises: InvalidRequest."""
    if not text:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest("settings", "TOOL_SECRETS: it is not JSON") from None
    if not isinstance(document, dict) or not all(isinstance(secrets, dict) for secrets in document.values()):
        raise InvalidRequest("settings", "TOOL_SECRETS: each tenant has an object of names and secrets")
    for secret in (secret for secrets in document.values() for secret in secrets.values()):
        if not isinstance(secret, str):
            raise InvalidRequest("settings", "TOOL_SECRETS: a secret is a string")
        secret_bytes(secret)
    return document
