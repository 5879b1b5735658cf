"""The carrier as the phones part knows it: its REST API, and calls that people place."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from local_stack.phones.call_result import CallResult
from local_stack.phones.events import Listener
from local_stack.phones.exchange import CallWish, KnownCall, Setup
from local_stack.phones.twilio import rest, typing_door
from local_stack.phones.twilio.account import Account, new_sid
from local_stack.phones.twilio.call_book import CallBook
from local_stack.phones.twilio.misbehaviour import Misbehaviour
from local_stack.phones.twilio.options import CallOptions
from local_stack.phones.twilio.signature import Signer
from local_stack.phones.utterance import Utterance

VOICE_PATH: Final = "/api/webhooks/twilio/voice"
STATUS_PATH: Final = "/api/webhooks/twilio/status"


def open_exchange(setup: Setup) -> TwilioExchange | None:
    """Raises: ValueError."""
    environment = setup.environment
    account = Account(
        environment.get("TWILIO_ACCOUNT_SID", ""),
        environment.get("TWILIO_AUTH_TOKEN", ""),
        _json_object(environment, "TWILIO_SHARED_KEYS"),
    )
    api_url = (
        environment.get("TWILIO_API_BASE_URL") or f"http://localhost:{environment.get('LOCAL_PHONES_PORT') or 7083}"
    )
    book = CallBook(account, setup.state_dir, setup.people, setup.speech, api_url)
    for sid, entry in _json_object(environment, "TWILIO_SUBACCOUNTS").items():
        book.add_account(_subaccount(sid, entry, account.sid))
    return TwilioExchange(book)


def _json_object(environment: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        value = json.loads(environment.get(name) or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    return value


def _subaccount(sid: str, entry: object, owner_sid: str) -> Account:
    """`entry` is a token, a list of tokens (the current one first), or an object with both tokens and shared keys."""
    detailed: dict[str, Any] = entry if isinstance(entry, dict) else {"tokens": entry}
    tokens = detailed.get("tokens")
    token = tokens[0] if isinstance(tokens, list) and tokens else tokens
    return Account(sid, token if isinstance(token, str) else "", detailed.get("shared_keys", {}), owner_sid=owner_sid)


class TwilioExchange:
    """Everything that runs over one account."""

    name = "twilio"
    lines = ("twilio", "twilio-relay", "twilio-gather")
    extra_fields = frozenset({"voice_url", "status_url", "fallback_url", "account_sid", "language", "typed"})
    misbehaviours = frozenset(map(str, Misbehaviour))

    def __init__(self, book: CallBook) -> None:
        self.book = book

    def add_routes(self, app: web.Application) -> None:
        rest.add_routes(app, self.book)
        typing_door.add_routes(app, self.book)

    def calls(self) -> list[KnownCall]:
        return [entry.known() for entry in self.book.entries]

    def find(self, call_sid: str) -> KnownCall | None:
        entry = self.book.find(call_sid)
        return None if entry is None else entry.known()

    def hang_up(self, call_sid: str) -> bool:
        entry = self.book.find(call_sid)
        if entry is None or entry.call is None:
            return False
        entry.call.hang_up()
        return True

    def say(self, call_sid: str, utterance: Utterance) -> bool:
        entry = self.book.find(call_sid)
        return entry is not None and entry.call is not None and entry.call.say(utterance)

    def place(self, wish: CallWish, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Raises: ValueError."""
        account = self._account_of(wish)
        return self.book.start(inbound_options(wish, account, self.book.state_dir), listener)

    def _account_of(self, wish: CallWish) -> Account:
        if Misbehaviour.FOREIGN_ACCOUNT in wish.misbehaviours:
            return Account(new_sid("AC"), secrets.token_hex(16))
        sid = wish.extra.get("account_sid") or self.book.account.sid
        if sid not in self.book.accounts:
            raise ValueError(f"no account {sid!r} at this carrier")
        account = self.book.accounts[sid]
        Signer.of(account, by_shared_key=Misbehaviour.SHARED_KEY in wish.misbehaviours)
        return account

    async def close(self) -> None:
        await self.book.close()


def inbound_options(wish: CallWish, account: Account, state_dir: Path | None) -> CallOptions:
    """A call from a person to the app, by the number's own webhooks unless the wish names others.

    Raises: ValueError.
    """
    urls: dict[str, str | None] = {
        "voice_url": wish.app_url + VOICE_PATH,
        "status_url": wish.app_url + STATUS_PATH,
        "fallback_url": None,
    }
    for name in urls.keys() & wish.extra.keys():
        value = wish.extra[name]
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} is not a text")
        urls[name] = value or urls[name]
    language = wish.extra.get("language") or ""
    if not isinstance(language, str):
        raise ValueError("language is not a text")
    is_typed = wish.extra.get("typed", False)
    if not isinstance(is_typed, bool):
        raise ValueError("typed is true or false")
    return CallOptions(
        account=account,
        language=language,
        is_typed=is_typed,
        from_number=wish.from_number,
        to_number=wish.to_number,
        voice_url=urls["voice_url"],
        status_url=urls["status_url"],
        fallback_url=urls["fallback_url"],
        utterances=wish.utterances,
        plan=wish.plan,
        murmur=wish.murmur,
        misbehaviours=frozenset(Misbehaviour(name) for name in wish.misbehaviours),
        max_call_ms=wish.max_call_ms,
        state_dir=state_dir,
    )
