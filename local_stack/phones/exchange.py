"""What every simulated provider offers to the phones part: its REST API, and calls that can be placed and ended.

A provider's package `local_stack/phones/<provider>/` has a module `exchange.py` with a function

    def open_exchange(setup: Setup) -> Exchange | None

which reads its account from `setup.environment` and returns None where nothing of it is set, and raises ValueError
(one line) where it is set wrongly. The function stands in `local_stack/phones/switchboard.py`, in one line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Plan
from local_stack.phones.events import Listener
from local_stack.phones.lines import is_phone_number, not_a_number
from local_stack.phones.people import People
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.utterance import Utterance


@dataclass(frozen=True)
class Setup:
    """What an exchange is given at its start."""

    environment: Mapping[str, str]
    """Environment variables: the account's ids and secrets, by the names of the app's own settings."""
    app_url: str
    """Public origin of the app that is called, without a slash at its end."""
    state_dir: Path | None
    """Each call writes `calls/<call id>/` below it (`CallFiles`); None writes nothing."""
    speech: ProviderSpeech
    """The provider's own ear and voice."""
    people: People = field(default_factory=dict)
    """Who can be called; shared by all exchanges and filled at any time. Look up at the moment of the call."""


@dataclass(frozen=True)
class CallWish:
    """An inbound call that somebody wants: a person with recorded sentences dials one of the app's numbers."""

    line: str
    """One of the exchange's `lines`."""
    from_number: str
    to_number: str
    """Both in E.164 form with the plus sign; checked."""
    app_url: str
    utterances: Sequence[Utterance] = ()
    """What the caller says, one after the other, as µ-law at 8 kHz in frames of 20 ms."""
    plan: Plan = field(default_factory=Plan)
    murmur: Utterance | None = None
    """What the plan's m says over a reply."""
    misbehaviours: frozenset[str] = frozenset()
    """Among the exchange's `misbehaviours`."""
    max_call_ms: int = 300_000
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the wish that this provider alone has, by the names in `extra_fields`; JSON values, not checked."""

    def __post_init__(self) -> None:
        """Raises: ValueError, one line."""
        for number in (self.from_number, self.to_number):
            if not is_phone_number(number):
                raise ValueError(not_a_number(number))
        if self.plan.speaks and "m" in self.plan.pattern and self.murmur is None:
            raise ValueError("a caller that murmurs needs something to murmur")


@dataclass(frozen=True)
class KnownCall:
    """A call as the control door lists it."""

    call_sid: str
    status: str
    """In the provider's own word."""
    is_running: bool


class Exchange(Protocol):
    """One provider's switch: places calls and finds them again. Everything runs on one event loop."""

    @property
    def name(self) -> str:
        """The provider: `twilio`, `vonage`, `connect`, `sarvam`."""
        ...

    @property
    def lines(self) -> Sequence[str]:
        """Names of the lines (`lines.LINES`) that it serves."""
        ...

    @property
    def extra_fields(self) -> frozenset[str]:
        """Fields of a wish besides those that every provider has."""
        ...

    @property
    def misbehaviours(self) -> frozenset[str]:
        """Names of the ways to misbehave that a wish may list."""
        ...

    def add_routes(self, app: web.Application) -> None:
        """Adds the provider's REST API, at its own paths, and whatever else is told to the provider by HTTP.

        A path that no other provider uses: `/2010-04-01/…`, `/v1/calls…`, `/contact/…`.
        """
        ...

    def place(self, wish: CallWish, listener: Listener | None = None) -> asyncio.Task[CallResult]:
        """Starts a call; the task's name is the provider's id of it. Events reach the listener in order.

        The first event is `call_started` with the facts `call_sid`, `direction`, `from` and `to`; then, as far as
        they happen: `call_answered`; `webhook_answered` (`kind`, `url`, `status`, `took_ms`; kind `voice` is the
        one that asks what to do with the call); `media_opened` (`took_ms`, `url`); `line_opened` (`audio_ms`: how
        long the tracks are already, at the first frame); what the conversation tells; `carrier_error` (`code`,
        `message`), `callback_failed` (`message`); `call_ended` (`status`, `reason`, `duration_s`).
        Whatever the app does wrong stands in the result and is never raised.
        Raises: ValueError, one line, if the wish cannot be granted.
        """
        ...

    def calls(self) -> Sequence[KnownCall]:
        """All that are remembered, the newest first."""
        ...

    def find(self, call_sid: str) -> KnownCall | None: ...

    def hang_up(self, call_sid: str) -> bool:
        """The simulated person puts the phone down; false if no such call is running."""
        ...

    def say(self, call_sid: str, utterance: Utterance) -> bool:
        """What a person says next who improvises; false if no such call is running."""
        ...

    async def close(self) -> None:
        """Hangs up every call; those that are not over within a few seconds are cut off."""
        ...
