"""Sarvam's voice agents as the phones part knows them: their REST API, and calls that people place."""

from __future__ import annotations

import asyncio

from aiohttp import web

from local_stack.phones.call_result import CallResult
from local_stack.phones.events import Listener
from local_stack.phones.exchange import CallWish, KnownCall, Setup
from local_stack.phones.sarvam import realtime, rest
from local_stack.phones.sarvam.account import Account
from local_stack.phones.sarvam.book import CallBook, Entry
from local_stack.phones.sarvam.misbehaviour import Misbehaviour
from local_stack.phones.sarvam.options import CallOptions
from local_stack.phones.utterance import Utterance


def open_exchange(setup: Setup) -> SarvamExchange | None:
    """Raises: ValueError."""
    account = Account.of(setup.environment)
    return None if account is None else SarvamExchange(CallBook(account, setup))


class SarvamExchange:
    """Everything that runs over one workspace."""

    name = "sarvam"
    lines = ("sarvam",)
    extra_fields = frozenset({"language"})
    misbehaviours = frozenset(map(str, Misbehaviour))

    def __init__(self, book: CallBook) -> None:
        self.book = book

    def add_routes(self, app: web.Application) -> None:
        rest.add_routes(app, self.book)
        realtime.add_routes(app, self.book)

    def calls(self) -> list[KnownCall]:
        return [_known(entry) for entry in self.book.entries]

    def find(self, call_sid: str) -> KnownCall | None:
        entry = self.book.find(call_sid)
        return None if entry is None else _known(entry)

    def hang_up(self, call_sid: str) -> bool:
        entry = self.book.find(call_sid)
        if entry is None or not entry.is_running:
            return False
        entry.call.hang_up()
        return True

    def say(self, call_sid: str, utterance: Utterance) -> bool:
        """Who calls on these lines knows beforehand what to say."""
        return False

    def place(self, wish: CallWish, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Raises: ValueError."""
        setup, language = self.book.setup, wish.extra.get("language") or ""
        if not isinstance(language, str):
            raise ValueError("language is not a text")
        options = CallOptions(
            account=self.book.account,
            speech=setup.speech,
            app_url=wish.app_url,
            user_number=wish.from_number,
            agent_number=wish.to_number,
            utterances=wish.utterances,
            plan=wish.plan,
            murmur=wish.murmur,
            misbehaviours=frozenset(Misbehaviour(name) for name in wish.misbehaviours),
            max_call_ms=wish.max_call_ms,
            state_dir=setup.state_dir,
            people=setup.people,
            caller_language=language,
        )
        return self.book.start(options, listener)

    async def close(self) -> None:
        await self.book.close()


def _known(entry: Entry) -> KnownCall:
    return KnownCall(entry.call.options.name, entry.call.state.status, entry.is_running)
