"""Which take of a turn counts now, and what is being made of it: the newest one, until one is final."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

from shared.domain import pipe_names, takes
from shared.domain.playback import Piece
from shared.domain.steps import TurnRequest
from shared.domain.takes import Ended, Failed, Final, TakeEvent, Tentative, Withdrawn
from shared.ports.pipes import Entry
from shared.use_cases.speaking.synthesis import Answer, Synthesis, Voice
from shared.use_cases.waiting import Waiting, is_end


class TakeFollowing:
    """`on_news` is called when a take has become final, its sound has grown, or the turn has ended without one.

    `made`: the final take's pieces that were made before this step was run again.
    """

    def __init__(
        self,
        waiting: Waiting,
        request: TurnRequest,
        voice: Voice,
        on_news: Callable[[], None],
        made: Sequence[Piece] = (),
    ) -> None:
        self.final: Synthesis | None = None
        self.final_at_ms = 0.0
        self.is_over = False
        self.characters_withdrawn = 0
        self._newest: Synthesis | None = None
        self._answers: dict[int, Answer] = {}
        self._is_thought = False
        self._waiting = waiting
        self._request = request
        self._voice = voice
        self._on_news = on_news
        self._made = made
        self._tasks: list[asyncio.Task[None]] = []

    async def follow_takes(self) -> None:
        """Until one of them is final, or the call has ended."""
        async with aclosing(self._waiting.takes(self._request)) as events:
            async for event in events:
                self._follow(event)
                if isinstance(event, Final | Failed | Ended):
                    return

    async def follow_sentences(self) -> None:
        """Until thinking has ended."""
        pipe = pipe_names.turn(self._request.call_id, self._request.turn, pipe_names.SENTENCES)
        async with aclosing(self._waiting.pipes.follow(pipe)) as batches:
            async for batch in batches:
                for entry in batch:
                    self._grow(entry)
                    if is_end(entry):
                        return

    async def close(self) -> None:
        """Let go of everything that is still being made. A take that is not final is withdrawn."""
        if self.final is None:
            self._drop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _follow(self, event: TakeEvent) -> None:
        match event:
            case Tentative(take):
                self._turn_to(take)
            case Final(take) | Failed(take):
                if self._made:
                    self._drop()
                self.final = self._turn_to(take, self._made)
                self.final_at_ms = self._voice.clock.now_ms()
                self.final.commit()
                self._on_news()
            case Withdrawn():
                self._drop()
            case Ended():
                self._drop()
                self.is_over = True
                self._on_news()

    def _turn_to(self, take: int, made: Sequence[Piece] = ()) -> Synthesis:
        if self._newest is not None and self._newest.take == take:
            return self._newest
        self._drop()
        self._newest = Synthesis(self._voice, take, self._answer(take), made, self._on_news)
        self._tasks.append(self._newest.task)
        return self._newest

    def _drop(self) -> None:
        if self._newest is not None:
            self._newest.task.cancel()
            self.characters_withdrawn += self._newest.characters
            self._newest = None

    def _grow(self, entry: Entry) -> None:
        if is_end(entry):
            self._is_thought = True
            for answer in self._answers.values():
                answer.is_whole = True
        else:
            answer = self._answer(takes.place(entry.position)[0])
            if b"text" in entry.fields:
                answer.sentences.append(entry.fields[b"text"].decode())
            else:
                answer.is_whole = True
                answer.has_failed = entry.fields.get(b"outcome") == b"failed"
        if self._newest is not None:
            self._newest.go_on()
            self._on_news()

    def _answer(self, take: int) -> Answer:
        return self._answers.setdefault(take, Answer(is_whole=self._is_thought))
