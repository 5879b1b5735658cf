"""Who Vonage's customer is: the account, its application, and the identifiers that Vonage makes up."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

_NAMES: Final = ("VONAGE_API_KEY", "VONAGE_SIGNATURE_SECRET", "VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY")


class Denied(Exception):
    """A request to the REST API bears no good token; the message is one line."""


@dataclass(frozen=True)
class Account:
    """`public_key`: of the application's key pair, as Vonage keeps it, in PEM."""

    api_key: str
    signature_secret: str
    application_id: str
    public_key: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Account | None:
        """None where nothing of it is set. Raises: ValueError, one line, where something is missing or wrong."""
        given = [environment.get(name, "") for name in _NAMES]
        if not any(given):
            return None
        if missing := [name for name, value in zip(_NAMES, given, strict=True) if not value]:
            raise ValueError(f"{missing[0]} is missing")
        api_key, secret, application_id, private_key = given
        return cls(api_key, secret, application_id, _public_key(private_key.replace("\\n", "\n")))

    def check(self, authorization: str) -> None:
        """Whether our application asks. Raises: Denied.

        Source: https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens
        """
        scheme, _, token = authorization.partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise Denied("the Authorization header bears no token")
            claims: dict[str, Any] = jwt.decode(
                token, self.public_key, algorithms=["RS256"], options={"require": ["exp", "iat", "jti"]}
            )
        except jwt.InvalidTokenError as error:
            raise Denied(f"the token is not valid: {error}") from None
        if claims.get("application_id") != self.application_id:
            raise Denied("the token is another application's")


def _public_key(private_key: str) -> str:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - slow import
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError):
        raise ValueError("VONAGE_PRIVATE_KEY is no private key in PEM") from None
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def new_leg() -> str:
    """Of one end of a call."""
    return str(uuid.uuid4())


def new_conversation() -> str:
    return f"CON-{uuid.uuid4()}"


def digits_of(number: str) -> str:
    """Vonage writes numbers without their plus sign."""
    return number.removeprefix("+")
