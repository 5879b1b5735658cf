"""Twilio's request signatures, checked over the public URL that we are configured with, never over a header's.

Source: twilio-python `request_validator.py`, https://www.twilio.com/docs/usage/security
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit, urlunsplit

BODY_HASH = "bodySHA256"
"""The query parameter that binds a body which is no form to the signed URL."""
_DEFAULT_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_LONGEST_SETTINGS = 500


class Algorithm(StrEnum):
    HMAC_SHA1 = "HMAC_SHA1"
    HMAC_SHA256 = "HMAC_SHA256"


_HASHES = {Algorithm.HMAC_SHA1: hashlib.sha1, Algorithm.HMAC_SHA256: hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request brings: the signature, and with which key and hash it was made. No `key`: the auth token."""

    given: str
    key: str = ""
    algorithm: Algorithm = Algorithm.HMAC_SHA1


def signed_of(headers: Mapping[str, str]) -> Signed | None:
    """The signature in a request's headers; None where there is none, or one of a kind that we do not know.

    A key is named in `X-Twilio-Webhooks-Signature-Settings: key=<id>,algorithm=<name>`.
    Source: https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    given = by_name.get("x-twilio-signature", "")
    settings = by_name.get("x-twilio-webhooks-signature-settings", "")
    if not given or not given.isascii() or len(settings) > _LONGEST_SETTINGS:
        return None
    parts = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in settings.split(","))}
    try:
        algorithm = Algorithm((parts.get("algorithm") or Algorithm.HMAC_SHA1).upper())
    except ValueError:
        return None
    return Signed(given, parts.get("key", ""), algorithm)


def signature(
    secret: str, url: str, params: Iterable[tuple[str, str]] = (), algorithm: Algorithm = Algorithm.HMAC_SHA1
) -> str:
    """Base64 HMAC over the URL and the distinct form parameters, sorted, blank ones included."""
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    digest = hmac.new(secret.encode(), signed.encode(errors="surrogatepass"), _HASHES[algorithm]).digest()
    return base64.b64encode(digest).decode()


def is_signed(
    secrets: Iterable[str],
    url: str,
    params: Iterable[tuple[str, str]],
    given: str | None,
    algorithm: Algorithm = Algorithm.HMAC_SHA1,
) -> bool:
    """Whether `given` is the signature by one of the secrets (the current one and, while it rotates, the last).

    Twilio's back end signs sometimes with and sometimes without the port, so both forms count.
    """
    if not given or not given.isascii():
        return False
    pairs = list(params)
    return any(
        hmac.compare_digest(signature(secret, form, pairs, algorithm), given)
        for secret in secrets
        if secret
        for form in _with_and_without_port(url)
    )


def is_body_of(url: str, body: bytes) -> bool:
    """Whether the signed URL names the hash of this body. A URL that names none is bound to no body at all."""
    named = [value for name, value in parse_qsl(urlsplit(url).query) if name == BODY_HASH]
    digest = hashlib.sha256(body).hexdigest()
    return len(named) == 1 and named[0].isascii() and hmac.compare_digest(digest, named[0].lower())


def _with_and_without_port(url: str) -> set[str]:
    parts = urlsplit(url)
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname or ":" in parts.hostname:
        return {url}
    bare = urlunsplit(parts._replace(netloc=parts.hostname))
    explicit = urlunsplit(parts._replace(netloc=f"{parts.hostname}:{parts.port or default}"))
    return {url, explicit, bare} if parts.port in (None, default) else {url, bare}
