"""Vonage as the phones part knows it: its REST API, and calls that people place."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from local_stack.phones.call_result import CallResult
from local_stack.phones.events import Listener
from local_stack.phones.exchange import CallWish, KnownCall, Setup
from local_stack.phones.utterance import Utterance
from local_stack.phones.vonage import rest
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.book import CallBook, CallEntry
from local_stack.phones.vonage.misbehaviour import Misbehaviour
from local_stack.phones.vonage.options import CallOptions, Direction
from local_stack.phones.vonage.recordings import Recordings

ANSWER_PATH: Final = "/api/webhooks/vonage/answer"
EVENT_PATH: Final = "/api/webhooks/vonage/event"


def open_exchange(setup: Setup) -> VonageExchange | None:
    """Raises: ValueError."""
    account = Account.of(setup.environment)
    if account is None:
        return None
    api_url = setup.environment.get("VONAGE_API_BASE_URL", "").rstrip("/")
    recordings = Recordings(api_url) if api_url else Recordings()
    return VonageExchange(CallBook(account, setup.state_dir, setup.people, setup.speech, recordings))


class VonageExchange:
    """Everything that runs over one account."""

    name = "vonage"
    lines = ("vonage", "vonage-input")
    extra_fields = frozenset({"answer_url", "event_url", "fallback_url"})
    misbehaviours = frozenset(map(str, Misbehaviour))

    def __init__(self, book: CallBook) -> None:
        self.book = book

    def add_routes(self, app: web.Application) -> None:
        rest.add_routes(app, self.book)

    def calls(self) -> list[KnownCall]:
        return [_known(entry) for entry in self.book.entries]

    def find(self, call_sid: str) -> KnownCall | None:
        entry = self.book.find(call_sid)
        return None if entry is None else _known(entry)

    def hang_up(self, call_sid: str) -> bool:
        entry = self.book.find(call_sid)
        if entry is None or entry.call is None:
            return False
        entry.call.hang_up()
        return True

    def say(self, call_sid: str, utterance: Utterance) -> bool:
        """Who calls on these lines knows beforehand what to say."""
        return False

    def place(self, wish: CallWish, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Raises: ValueError."""
        return self.book.start(inbound_options(wish, self.book), listener)

    async def close(self) -> None:
        await self.book.close()


def _known(entry: CallEntry) -> KnownCall:
    return KnownCall(entry.state.leg, entry.state.status, entry.call is not None)


def inbound_options(wish: CallWish, book: CallBook) -> CallOptions:
    """A call from a person to the app, by the application's own webhooks unless the wish names others.

    Raises: ValueError.
    """
    urls: dict[str, str | None] = {
        "answer_url": wish.app_url + ANSWER_PATH,
        "event_url": wish.app_url + EVENT_PATH,
        "fallback_url": None,
    }
    for name in urls.keys() & wish.extra.keys():
        value = wish.extra[name]
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} is not a text")
        urls[name] = value or urls[name]
    return CallOptions(
        account=book.account,
        direction=Direction.INBOUND,
        from_number=wish.from_number,
        to_number=wish.to_number,
        answer_url=urls["answer_url"],
        event_url=urls["event_url"],
        fallback_url=urls["fallback_url"],
        speech=book.speech,
        people=book.people,
        utterances=wish.utterances,
        plan=wish.plan,
        murmur=wish.murmur,
        misbehaviours=frozenset(Misbehaviour(name) for name in wish.misbehaviours),
        max_call_ms=wish.max_call_ms,
        state_dir=book.state_dir,
    )
