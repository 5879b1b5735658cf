"""Whose secrets sign what Twilio sends: the account, its subaccounts, their tokens and shared keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.twilio.signature import Signed, is_signed
from shared.domain.errors import InvalidRequest

_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
_EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """`auth_tokens`: the current one, then the one before while it is being rotated. `shared_keys`: id to secret.

    `tenants`: whose calls alone may run over it, for who has its secrets can make up webhooks, and whoever places
    calls over it does so at its owner's expense; None: everybody's.
    """

    sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    shared_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    tenants: frozenset[str] | None = None

    def serves(self, tenant_id: str) -> bool:
        """Whether calls of this tenant may run over it."""
        return self.tenants is None or tenant_id in self.tenants

    def has_signed(self, url: str, params: Iterable[tuple[str, str]], signed: Signed) -> bool:
        """Whether one of this account's secrets made the signature."""
        secrets = (self.shared_keys.get(signed.key, ""),) if signed.key else self.auth_tokens
        return is_signed(secrets, url, params, signed.given, signed.algorithm)


class TwilioAccounts:
    """The account that is set up, first, and its subaccounts, each of which signs with secrets of its own."""

    def __init__(self, *accounts: TwilioAccount) -> None:
        self._by_sid = {account.sid: account for account in accounts}

    def __iter__(self) -> Iterator[TwilioAccount]:
        return iter(self._by_sid.values())

    def find(self, sid: str) -> TwilioAccount | None:
        return self._by_sid.get(sid)

    def any_has_signed(self, url: str, signed: Signed) -> bool:
        """Whether one of the accounts did, where a request does not say whose it is."""
        return any(account.has_signed(url, (), signed) for account in self)


def shared_keys(text: str) -> dict[str, str]:
    """TWILIO_SHARED_KEYS: a JSON object of key ids and secrets. Raises: InvalidRequest."""
    keys = _object("TWILIO_SHARED_KEYS", text)
    return _secrets("TWILIO_SHARED_KEYS", keys)


def subaccounts(text: str) -> list[TwilioAccount]:
    """TWILIO_SUBACCOUNTS: a JSON object of account SIDs, each with `{"tokens": […], "shared_keys": {id: secret},
    "tenants": [id]}`; the current token first, and one token may stand without a list. Whose calls may run over it is
    said for each: `"tenants": "*"` where everybody's may. Raises: InvalidRequest.
    """
    name = "TWILIO_SUBACCOUNTS"
    accounts = []
    for sid, entry in _object(name, text).items():
        if not _ACCOUNT_SID.fullmatch(sid):
            raise _wrong(name, "its names are account SIDs")
        detailed = entry if isinstance(entry, dict) else {"tokens": entry}
        tokens = detailed.get("tokens", ())
        listed = (tokens,) if isinstance(tokens, str) else tuple(tokens) if isinstance(tokens, list) else None
        if listed is None or not listed or not all(isinstance(token, str) and token for token in listed):
            raise _wrong(name, "each account has a token, or a list of them")
        keys = detailed.get("shared_keys", {})
        secrets = _secrets(name, keys if isinstance(keys, dict) else {"": ""})
        accounts.append(TwilioAccount(sid, listed, secrets, _tenants(name, detailed)))
    return accounts


def _tenants(name: str, entry: Mapping[str, Any]) -> frozenset[str] | None:
    """None for all, which must be said: who forgets to say whose an account is has not given it to everybody."""
    tenants = entry.get("tenants")
    if tenants == _EVERYBODY:
        return None
    if not isinstance(tenants, list) or not tenants or not all(isinstance(each, str) and each for each in tenants):
        raise _wrong(name, f'each account names its tenants, a list of their ids, or "{_EVERYBODY}" for all')
    if _EVERYBODY in tenants:
        raise _wrong(name, f'"{_EVERYBODY}" stands alone, not in a list')
    return frozenset(tenants)


def _object(name: str, text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong(name, "it is not JSON") from None
    if not isinstance(document, dict):
        raise _wrong(name, "it is not a JSON object")
    return document


def _secrets(name: str, keys: Mapping[str, Any]) -> dict[str, str]:
    if not all(key and isinstance(secret, str) and secret for key, secret in keys.items()):
        raise _wrong(name, "each shared key has an id and a secret")
    return dict(keys)


def _wrong(name: str, reason: str) -> InvalidRequest:
    return InvalidRequest("settings", f"{name}: {reason}")
