"""Hearing made of several: who is late is raced, who fails or hears nothing in audible sound is not believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from shared.domain.audibility import audible_ms
from shared.domain.errors import SpeechToTextError
from shared.domain.seam import joined
from shared.ports.speech_to_text import SpeechToText, Transcription
from shared.use_cases.providers.provider_health import ProviderHealth
from shared.use_cases.providers.racing import Contender, Race

_SPEECH_MS = 400
"""Audible sound, in milliseconds, from which on there should be a word in it."""
_SECOND_OPINION_S = 2.0
"""How long others may take where the first has heard nothing: mostly it was right."""


_Piece = tuple[bytes, bytes]
"""PCM, and the same as µ-law, or nothing."""


class _NothingHeard(SpeechToTextError):
    """An answer without a word, for sound that may hold some."""


class FailoverSpeechToText:
    """Fills the port `SpeechToText`. `hearings`: by the name of their breakers, the preferred one first."""

    def __init__(self, hearings: Mapping[str, SpeechToText], health: ProviderHealth) -> None:
        self._hearings = dict(hearings)
        self._health = health

    @property
    def takes_mulaw(self) -> bool:
        return any(hearing.takes_mulaw for hearing in self._hearings.values())

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> Transcription:
        listeners = [
            _Listener(name, hearing, language=language, call_id=call_id) for name, hearing in self._hearings.items()
        ]
        return FailoverTranscription(listeners, self._health, late_after_ms)

    async def ping(self) -> None:
        """Ready if one of them is. Raises: SpeechToTextError of the preferred one."""
        errors: list[SpeechToTextError] = []
        for hearing in self._hearings.values():
            try:
                return await hearing.ping()
            except SpeechToTextError as error:
                errors.append(error)
        raise errors[0]


class _Listener:
    """One provider's hearing of the turn, opened when it is first needed. `_before`: the words that stood then."""

    def __init__(self, name: str, hearing: SpeechToText, *, language: str, call_id: str) -> None:
        self.name = name
        self._hearing = hearing
        self._language, self._call_id = language, call_id
        self._opened: Transcription | None = None
        self._before = ""
        self._fed = 0

    def feed(self, pieces: list[_Piece]) -> None:
        """Everything since the last cut; what it has not got yet is handed over."""
        opened = self._open()
        for pcm, mulaw in pieces[self._fed :]:
            opened.feed(pcm, mulaw)
        self._fed = len(pieces)

    @property
    def language(self) -> str:
        return self._opened.language if self._opened is not None else ""

    async def words(self) -> str:
        """All of the turn, whoever heard its beginning."""
        return joined(self._before, await self._open().words())

    def cut(self, covered: int) -> None:
        """Its own words stand, up to this number of pieces."""
        self._open().cut()
        self._fed -= covered

    def forget(self, standing: str) -> Transcription | None:
        """Another one's words stand: what it heard itself is no longer needed. What is to be closed."""
        opened, self._opened = self._opened, None
        self._before, self._fed = standing, 0
        return opened

    def _open(self) -> Transcription:
        if self._opened is None:
            self._opened = self._hearing.open(language=self._language, call_id=self._call_id)
        return self._opened


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a listener understood of the first `covered` pieces since the cut, all of the turn's words included."""

    listener: _Listener
    text: str
    covered: int


class FailoverTranscription:
    """Fills the port `Transcription`. The preferred provider hears everything as it comes; the others are given the
    sound since the last cut once they are needed.
    """

    def __init__(self, listeners: Sequence[_Listener], health: ProviderHealth, late_after_ms: int) -> None:
        self._listeners = listeners
        self._health = health
        self._late_after_ms = late_after_ms
        self._pieces: list[_Piece] = []
        self._standing = ""
        self._answer: _Answer | None = None
        self._heard_by: _Listener | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
        self._pieces.append((pcm, mulaw))
        self._listeners[0].feed(self._pieces)

    async def words(self) -> str:
        deaf: list[str] = []
        contenders = [Contender(one.name, partial(self._ask, one, deaf)) for one in self._listeners]
        race = Race(
            contenders,
            self._health,
            SpeechToTextError,
            late_after_ms=self._late_after_ms,
            blameless=(_NothingHeard,),
        )
        async with race:
            try:
                self._answer = await race.first()
                self._heard_by = self._answer.listener
            except SpeechToTextError:
                if not deaf:
                    raise
        for name in deaf:  # who alone understood nothing is not working; where nobody did, there was nothing
            self._health.note(name, succeeded=race.winner is None)
        return self._standing if race.winner is None or self._answer is None else self._answer.text

    @property
    def language(self) -> str:
        return self._heard_by.language if self._heard_by is not None else ""

    async def _ask(self, listener: _Listener, deaf: list[str]) -> AsyncGenerator[_Answer, None]:
        async with asyncio.timeout(_SECOND_OPINION_S if deaf else None):
            listener.feed(self._pieces)
            covered = len(self._pieces)
            text = await listener.words()
        if text == self._standing and audible_ms(b"".join(pcm for pcm, _ in self._pieces[:covered])) >= _SPEECH_MS:
            deaf.append(listener.name)
            raise _NothingHeard("nothing_heard", "no word in audible sound")
        yield _Answer(listener, text, covered)

    def cut(self) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        self._standing = answer.text
        del self._pieces[: answer.covered]
        for listener in self._listeners:
            if listener is answer.listener:
                listener.cut(answer.covered)
            elif gone := listener.forget(self._standing):
                self._close(gone)
        self._listeners[0].feed(self._pieces)

    async def close(self) -> None:
        for listener in self._listeners:
            if gone := listener.forget(""):
                self._close(gone)
        if self._closing:
            await asyncio.wait(self._closing)

    def _close(self, transcription: Transcription) -> None:
        task = asyncio.create_task(transcription.close(), name="close a hearing")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
