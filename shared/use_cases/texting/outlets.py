"""The two ways by which an answer's sentences leave us as text: over a socket, or with the answer to a request."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from shared.domain import pipe_names
from shared.domain.errors import MediaError
from shared.domain.speech_pace import spoken_ms
from shared.domain.steps import TurnRequest
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.pipes import Entry
from shared.ports.text_channel import TextChannel, TextChannels
from shared.use_cases.fencing import FencedPipes
from shared.use_cases.waiting import is_end

_BACK_WITHIN_MS = 8000
_LOOK_AGAIN_MS = 100
_SLOWER_BY_MS = 300
_SLOWEST = 1.5
_SLOWEST_START_MS = 3000
"""After which no voice still speaks what it was given, so that it can no longer be broken into."""


class Outlet(Protocol):
    """Of one turn. `texts`: the sentences that have gone out; `given`: how many of them have reached the line;
    `earlier`: how many of them a line before the present one has said; `sounds_until_ms`: when those will have been
    spoken, by an estimate; `language`: in which what goes out is to be spoken.
    """

    language: str
    texts: list[str]
    given: int
    earlier: int
    sounds_until_ms: float

    async def restore(self) -> None:
        """Learn what was done before this step was run again, or since it was looked at last."""
        ...

    async def follow(self, on_news: Callable[[], None]) -> None:
        """Learn by and by what reaches the line."""
        ...

    async def say(self, sentence: str, *, is_last: bool) -> None:
        """Raises: MediaError."""
        ...

    async def fill(self, text: str) -> None:
        """Say something that is no part of the answer."""
        ...

    async def finish(self) -> None:
        """The answer is whole, or no more of it will come; safe to say twice. Raises: MediaError."""
        ...

    def lose(self, at_ms: float) -> bool:
        """A socket of the call broke then; whether something that had gone out over it was not heard, and so is to
        go out again.
        """
        ...

    async def comes_back(self) -> bool:
        """The line was gone; whether there is another one now for the same call."""
        ...

    def over_at_ms(self) -> float:
        """When all that has gone out counts as heard, if nothing more happens."""
        ...


@dataclass(slots=True)
class SocketOutlet:
    """Sentences go out at once, one by one. Those that were not spoken yet when the socket broke go out again, so all
    that was said is known only once all of it must have been spoken.
    """

    pipes: FencedPipes
    clock: Clock
    request: TurnRequest
    live: LiveCall
    channels: TextChannels
    live_calls: LiveCalls
    language: str
    texts: list[str] = field(default_factory=list)
    given: int = 0
    sounds_until_ms: float = 0.0
    earlier: int = 0
    _begun_ms: float = 0.0
    _is_closed: bool = False
    _times: list[tuple[float, float]] = field(default_factory=list)
    """Of each sentence that has gone out: when it did, and when it will have been spoken."""
    _sendings: int = 0
    _losses: list[float] = field(default_factory=list)

    async def restore(self) -> None:
        """A sentence of which it is not certain whether it went out is said again."""
        self.texts, self.given, self.sounds_until_ms = [], 0, 0.0
        self._times, self._sendings, self.earlier = [], 0, 0
        for entry in await self.pipes.read(self._sent):
            if b"at_ms" in entry.fields:
                self._sendings = int(entry.position.partition("-")[0])
                self._cut(int(entry.fields[b"number"]) - 1)
                self._count(float(entry.fields[b"at_ms"]), entry.fields[b"text"].decode())
        for at_ms in self._losses:
            self._lose(at_ms)

    async def follow(self, on_news: Callable[[], None]) -> None:
        """Nothing is told."""

    async def say(self, sentence: str, *, is_last: bool) -> None:
        sending = self._sendings + 1
        await self.pipes.append(self._sent, {"event": "sending"}, position=f"{sending}-0")
        await self._channel.say(sentence, is_last=is_last, language=self.language)
        now_ms = self.clock.now_ms()
        self._is_closed, self._sendings = is_last, sending
        self._count(now_ms, sentence)
        said = {"text": sentence, "at_ms": repr(now_ms), "number": str(len(self.texts))}
        await self.pipes.append(self._sent, said, position=f"{sending}-1")

    async def fill(self, text: str) -> None:
        await self.pipes.still_mine()
        await self._channel.say(text, is_last=False, language=self.language)
        self.sounds_until_ms = max(self.sounds_until_ms, self.clock.now_ms()) + spoken_ms(text)

    async def finish(self) -> None:
        if self.texts and not self._is_closed:
            self._is_closed = True
            await self.pipes.still_mine()
            await self._channel.say("", is_last=True, language=self.language)

    def lose(self, at_ms: float) -> bool:
        self._losses.append(at_ms)
        return self._lose(at_ms)

    async def comes_back(self) -> bool:
        before, began_ms = self.live.connection_id, self.clock.now_ms()
        while self.clock.now_ms() - began_ms < _BACK_WITHIN_MS:
            live = await self.live_calls.get(self.request.call_id)
            if live is None or live.end_reason:
                return False
            if live.connection_id not in ("", before):
                self.live = live
                return True
            await self.clock.sleep_ms(_LOOK_AGAIN_MS)
        return False

    def over_at_ms(self) -> float:
        if not self.given:
            return 0.0
        return self._begun_ms + (self.sounds_until_ms - self._begun_ms) * _SLOWEST + _SLOWEST_START_MS

    def _count(self, at_ms: float, sentence: str) -> None:
        self.texts.append(sentence)
        self.given += 1
        self._begun_ms = self._begun_ms or at_ms
        self.sounds_until_ms = max(self.sounds_until_ms, at_ms) + spoken_ms(sentence)
        self._times.append((at_ms, self.sounds_until_ms))

    def _lose(self, at_ms: float) -> bool:
        """Rather twice than never: a voice may be slower than we think."""
        for number, (sent_ms, until_ms) in enumerate(self._times):
            if sent_ms < at_ms < until_ms + _SLOWER_BY_MS:
                self._cut(number)
                self._is_closed = False
                return True
        return False

    def _cut(self, number: int) -> None:
        """Only so many sentences count as having gone out."""
        if number >= len(self.texts):
            return
        self.texts, self._times = self.texts[:number], self._times[:number]
        self.given = self.earlier = number
        self.sounds_until_ms = self._times[-1][1] if number else 0.0

    @property
    def _channel(self) -> TextChannel:
        return self.channels.open_text(self.live)

    @property
    def _sent(self) -> str:
        return pipe_names.turn(self.request.call_id, self.request.turn, pipe_names.SENT)


@dataclass(slots=True)
class ReplyOutlet:
    """Sentences wait in the reply pipe until the line asks for them."""

    pipes: FencedPipes
    request: TurnRequest
    language: str = ""
    texts: list[str] = field(default_factory=list)
    given: int = 0
    sounds_until_ms: float = 0.0
    earlier: int = 0
    _handed_after: str = "0-0"

    async def restore(self) -> None:
        self.texts, _ = reply_texts(await self.pipes.read(self._pipe(pipe_names.REPLY)))
        for entry in await self.pipes.read(self._pipe(pipe_names.HANDED), self._handed_after):
            self._count(entry)

    async def follow(self, on_news: Callable[[], None]) -> None:
        handed = self.pipes.follow(self._pipe(pipe_names.HANDED), self._handed_after)
        async with aclosing(handed) as batches:
            async for batch in batches:
                for entry in batch:
                    self._count(entry)
                if batch:
                    on_news()

    async def say(self, sentence: str, *, is_last: bool) -> None:
        number = len(self.texts) + 1
        await self.pipes.append(self._pipe(pipe_names.REPLY), {"text": sentence}, position=f"{number}-0")
        self.texts.append(sentence)

    async def fill(self, text: str) -> None:
        """Who waits for this answer is told something else by whoever takes it out of the pipe."""

    def lose(self, at_ms: float) -> bool:
        return False

    async def comes_back(self) -> bool:
        return False

    async def finish(self) -> None:
        reply = self._pipe(pipe_names.REPLY)
        await self.pipes.append(reply, {"event": "end"}, position=pipe_names.END_POSITION)

    def over_at_ms(self) -> float:
        return 0.0 if self.given >= len(self.texts) else math.inf

    def _count(self, entry: Entry) -> None:
        self._handed_after = entry.position
        self.given = max(self.given, int(entry.fields[b"told"]))
        self.sounds_until_ms = max(self.sounds_until_ms, float(entry.fields[b"until_ms"]))

    def _pipe(self, name: str) -> str:
        return pipe_names.turn(self.request.call_id, self.request.turn, name)


def reply_texts(entries: list[Entry]) -> tuple[list[str], bool]:
    """The sentences in a reply pipe, and whether they are all."""
    texts = [entry.fields[b"text"].decode() for entry in entries if b"text" in entry.fields]
    return texts, bool(entries) and is_end(entries[-1])


async def close_quietly(outlet: Outlet) -> None:
    """Nothing more will come; a line that is gone need not hear it."""
    try:
        await outlet.finish()
    except MediaError:
        return
