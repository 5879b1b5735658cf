"""Signs requests to AWS (Signature Version 4), for the few operations that we use.

AWS's own Python SDK would bring 34 MB and a quarter of a second of start for them, and cannot be awaited.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Of an IAM user, or with `token` of a role's session."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """For what a signature holds, besides its day."""

    region: str
    service: str


def signed_headers(
    keys: AwsKeys, scope: Scope, method: str, url: str, *, body: bytes, headers: Mapping[str, str], at: datetime
) -> dict[str, str]:
    """`headers` with `host` and what signs them all. `url` has no query; its path is as it goes over the wire."""
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    given = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    given |= {"host": parts.netloc, "x-amz-date": moment}
    if keys.token:
        given["x-amz-security-token"] = keys.token
    names = ";".join(sorted(given))
    canonical = "\n".join(
        (
            method.upper(),
            quote(parts.path or "/", safe="/-_.~"),
            parts.query,
            "".join(f"{name}:{given[name]}\n" for name in sorted(given)),
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    credential = f"{moment[:8]}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join((_ALGORITHM, moment, credential, hashlib.sha256(canonical.encode()).hexdigest()))
    key = b"AWS4" + keys.secret_access_key.encode()
    for step in credential.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    proof = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    authorization = (
        f"{_ALGORITHM} Credential={keys.access_key_id}/{credential}, SignedHeaders={names}, Signature={proof}"
    )
    return {**given, "authorization": authorization}
