"""Twilio's request signatures, checked over the public URL that we are configured with, never over a header's.

Source: twilio-python `request_validator.py`, https://www.twilio.com/docs/usage/security
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

_DEFAULT_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


def signature(secret: str, url: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """Base64 HMAC-SHA1 over the URL and the distinct form parameters, sorted, blank ones included."""
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def is_signed(secrets: Iterable[str], url: str, params: Iterable[tuple[str, str]], given: str | None) -> bool:
    """Whether `given` is the signature by one of the secrets (the current one and, while it rotates, the last).

    Twilio's back end signs sometimes with and sometimes without the port, so both forms count.
    """
    if not given or not given.isascii():
        return False
    pairs = list(params)
    return any(
        hmac.compare_digest(signature(secret, form, pairs), given)
        for secret in secrets
        if secret
        for form in _with_and_without_port(url)
    )


def _with_and_without_port(url: str) -> set[str]:
    parts = urlsplit(url)
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname or ":" in parts.hostname:
        return {url}
    bare = urlunsplit(parts._replace(netloc=parts.hostname))
    explicit = urlunsplit(parts._replace(netloc=f"{parts.hostname}:{parts.port or default}"))
    return {url, explicit, bare} if parts.port in (None, default) else {url, bare}
