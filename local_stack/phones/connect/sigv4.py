"""Checks that a request to AWS bears a good signature (Signature Version 4) of the account's user.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from functools import reduce
from typing import Final
from urllib.parse import quote

from aiohttp import web

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_WINDOW_S: Final = 900
_FORBIDDEN: Final = 403


class NotSigned(Exception):
    """The request is refused; `kind` is AWS's name of the error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


async def check_signature(request: web.Request, access_key_id: str, secret: str, now_s: float) -> str:
    """The service for which it is signed. Raises: NotSigned."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        raise NotSigned("MissingAuthenticationTokenException", "Missing Authentication Token")
    key_id, day, region, service, names, given = found.groups()
    if key_id != access_key_id:
        raise NotSigned("UnrecognizedClientException", "The security token included in the request is invalid.")
    moment = request.headers.get("X-Amz-Date", "")
    signed_names = names.split(";")
    if not {"host", "x-amz-date"}.issubset(signed_names) or not moment.startswith(day) or not _is_now(moment, now_s):
        raise NotSigned("InvalidSignatureException", "Signature expired, or not over what it has to be over")
    raw_path = request.raw_path.partition("?")
    heads = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed_names)
    digest = hashlib.sha256(await request.read()).hexdigest()
    canonical = f"{request.method}\n{quote(raw_path[0], safe='/-_.~')}\n{raw_path[2]}\n{heads}\n{names}\n{digest}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    scope = (day, region, service, "aws4_request")
    signing_key = reduce(_mac, scope, b"AWS4" + secret.encode())
    expected = _mac(signing_key, f"AWS4-HMAC-SHA256\n{moment}\n{'/'.join(scope)}\n{hashed}").hex()
    if not hmac.compare_digest(expected, given):
        raise NotSigned("InvalidSignatureException", "The request signature we calculated does not match")
    return service


def refusal(error: NotSigned) -> web.Response:
    return aws_error(_FORBIDDEN, error.kind, str(error))


def aws_error(status: int, kind: str, message: str) -> web.Response:
    """An error as the REST services in JSON write it."""
    headers = {"x-amzn-ErrorType": kind}
    return web.json_response({"Message": message, "message": message}, status=status, headers=headers)


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _is_now(moment: str, now_s: float) -> bool:
    try:
        then = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(then.timestamp() - now_s) <= _WINDOW_S
