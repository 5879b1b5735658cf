"""What the parts of one simulated contact share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Final

from local_stack.phones.connect.contact import Contact
from local_stack.phones.connect.functions import FunctionError, Functions
from local_stack.phones.connect.misbehaviour import Misbehaviours
from local_stack.phones.events import EventLog
from local_stack.phones.people import People
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.provider_voice import ProviderVoice

_TAG: Final = re.compile(r"<[^>]*>")
_SSML: Final = re.compile(r"\s*<speak>.*</speak>\s*", re.DOTALL)


class ContactEnded(Exception):
    """Unwinds the contact; not an error."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason
        """In Connect's own word."""


@dataclass
class Stage:
    """One of a contact. `start_streaming`: from then on its sound goes into its Kinesis video stream."""

    contact: Contact
    functions: Functions
    line: PhoneLine
    log: EventLog
    speech: ProviderSpeech
    ways: Misbehaviours
    people: People
    app_url: str
    start_streaming: Callable[[], None]
    state_dir: Path | None = None
    """Where the other side of a transfer is kept too."""
    taken_up: bool = False
    voice: ProviderVoice = field(init=False)
    background: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.voice = ProviderVoice(self.line, self.speech)

    async def say(self, text: str) -> None:
        """Plays it to its end. Raises: LineOver, LineCut."""
        self.voice.begin_answer()
        self.voice.say(text, self.contact.language)
        await self.voice.finish()

    async def while_line_goes_on(self, deed: Awaitable[Any]) -> Any:
        """The deed's result; the caller hears silence meanwhile. Raises: what it raises, LineOver, LineCut."""
        task = asyncio.ensure_future(deed)
        try:
            await self.line.until(task.done)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def beside(self, deed: Awaitable[Any]) -> None:
        """Goes on by itself; waited for at the contact's end."""
        task = asyncio.ensure_future(deed)
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def invoke(self, event: dict[str, Any], limit_s: float, what: str) -> Any:
        """Raises: FunctionError, LineOver, LineCut; says in the log how it went."""
        began_ms = self.line.now_ms()
        try:
            result = await self.while_line_goes_on(self.functions.invoke(event, limit_s))
        except FunctionError as error:
            self.complain(f"{what}: {error}")
            raise
        self.log.add("function_answered", what=what, took_ms=round(self.line.now_ms() - began_ms, 1))
        return result

    def complain(self, message: str) -> None:
        self.log.add("carrier_error", code="connect", message=message)

    def note_words(self, words: str) -> None:
        turn = self.line.conversation.turn
        turn.understood = f"{turn.understood or ''} {words}".strip()
        self.log.add("provider_heard", turn=turn.number, text=words)


def spoken_text(ssml: str) -> str:
    """The words of a document, or of a plain text. Raises: ValueError where it is no document that can be spoken."""
    if "<speak" not in ssml:
        return ssml.strip()
    if not _SSML.fullmatch(ssml):
        raise ValueError("the SSML is no whole document")
    return " ".join(unescape(_TAG.sub(" ", ssml)).split())
