"""Amazon Connect as the phones part knows it: AWS's REST APIs, and contacts that people bring about by calling."""

from __future__ import annotations

import asyncio

from aiohttp import web

from local_stack.phones.call_result import CallResult
from local_stack.phones.connect import rest
from local_stack.phones.connect.account import Account
from local_stack.phones.connect.book import ContactBook, Entry
from local_stack.phones.connect.misbehaviour import Misbehaviour
from local_stack.phones.connect.options import ContactOptions
from local_stack.phones.events import Listener
from local_stack.phones.exchange import CallWish, KnownCall, Setup
from local_stack.phones.utterance import Utterance


def open_exchange(setup: Setup) -> ConnectExchange | None:
    """Raises: ValueError."""
    account = Account.of(setup.environment)
    return None if account is None else ConnectExchange(ContactBook(account, setup))


class ConnectExchange:
    """Everything that runs over one instance."""

    name = "connect"
    lines = ("connect", "connect-lex")
    extra_fields = frozenset({"attributes", "gateway_number"})
    misbehaviours = frozenset(map(str, Misbehaviour))

    def __init__(self, book: ContactBook) -> None:
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
        if entry is None or entry.task.done():
            return False
        entry.call.stop("CUSTOMER_DISCONNECT")
        return True

    def say(self, call_sid: str, utterance: Utterance) -> bool:
        """Who calls on these lines knows beforehand what to say."""
        return False

    def place(self, wish: CallWish, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Raises: ValueError."""
        attributes = wish.extra.get("attributes") or {}
        if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
            raise ValueError("attributes is no object of texts")
        gateway_number = wish.extra.get("gateway_number") or ""
        if not isinstance(gateway_number, str):
            raise ValueError("gateway_number is no text")
        options = ContactOptions(
            customer=wish.from_number,
            system=wish.to_number,
            app_url=wish.app_url,
            attributes=attributes,
            utterances=wish.utterances,
            plan=wish.plan,
            murmur=wish.murmur,
            misbehaviours=frozenset(Misbehaviour(name) for name in wish.misbehaviours),
            max_call_ms=wish.max_call_ms,
            gateway_number=gateway_number,
        )
        return self.book.start(options, listener)

    async def close(self) -> None:
        await self.book.close()


def _known(entry: Entry) -> KnownCall:
    return KnownCall(entry.call.contact.contact_id, entry.call.status, not entry.task.done())
