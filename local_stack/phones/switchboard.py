"""All simulated providers side by side: who serves which line, and which of them has a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiohttp import web

from local_stack.phones.call_result import CallResult
from local_stack.phones.connect import exchange as connect
from local_stack.phones.events import Listener
from local_stack.phones.exchange import CallWish, Exchange, KnownCall, Setup
from local_stack.phones.lines import LINES
from local_stack.phones.people import People
from local_stack.phones.sarvam import exchange as sarvam
from local_stack.phones.twilio import exchange as twilio
from local_stack.phones.utterance import Utterance
from local_stack.phones.vonage import exchange as vonage

OPENERS: Sequence[Callable[[Setup], Exchange | None]] = (
    twilio.open_exchange,
    vonage.open_exchange,
    connect.open_exchange,
    sarvam.open_exchange,
)  # fmt: skip
"""One line a provider."""


class NoSuchLine(ValueError):
    """Nobody serves the line; the message says why in one line."""


class Switchboard:
    """The exchanges that are set up."""

    def __init__(self, exchanges: Sequence[Exchange], people: People | None = None) -> None:
        self.exchanges = exchanges
        self.people: People = {} if people is None else people
        self._by_line = {line: exchange for exchange in exchanges for line in exchange.lines}

    def serving(self, line: str) -> Exchange:
        """Raises: NoSuchLine."""
        if line not in LINES:
            raise NoSuchLine(f"no line {line!r}; known are {', '.join(LINES)}")
        if line not in self._by_line:
            raise NoSuchLine(f"{LINES[line].title} is not set up in this phone simulator")
        return self._by_line[line]

    def place(self, wish: CallWish, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Raises: NoSuchLine, ValueError."""
        return self.serving(wish.line).place(wish, listener)

    def calls(self) -> Sequence[KnownCall]:
        return [call for exchange in self.exchanges for call in exchange.calls()]

    def hang_up(self, call_sid: str) -> bool:
        """Whether such a call was running and is ended now."""
        return any(exchange.hang_up(call_sid) for exchange in self.exchanges)

    def say(self, call_sid: str, utterance: Utterance) -> bool:
        """Whether such a call is running, whose person says this next."""
        return any(exchange.say(call_sid, utterance) for exchange in self.exchanges)

    def add_routes(self, app: web.Application) -> None:
        for exchange in self.exchanges:
            exchange.add_routes(app)

    async def close(self) -> None:
        await asyncio.gather(*(exchange.close() for exchange in self.exchanges))


def open_switchboard(setup: Setup) -> Switchboard:
    """Every provider whose account is in the environment. Raises: ValueError for an account that cannot be one."""
    opened = [opener(setup) for opener in OPENERS]
    return Switchboard([exchange for exchange in opened if exchange is not None], setup.people)
