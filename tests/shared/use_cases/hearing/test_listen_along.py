"""Listening along: both sides in words, in order, once, whatever breaks off."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import numpy as np
import pytest

from shared.domain import overheard, pipe_names
from shared.domain.audio import bytes_of
from shared.domain.errors import MediaError, SpeechToTextError
from shared.domain.steps import ListenAlongRequest
from shared.ports.live_sound import Side, SoundPiece, SoundSource
from shared.use_cases.hearing import listen_along
from shared.use_cases.hearing.listen_along import ListenAlong
from tests.fakes.clock import FakeClock
from tests.fakes.models import FakeSpeechToText, FakeVoiceActivityDetector
from tests.fakes.pipes import FakePipes
from tests.fakes.stores import FakeFileStore

REQUEST = ListenAlongRequest("acme", "call-1", "contact-1", "stream-1", "91", "en")
BEGAN_MS = 1_795_381_200_000
PIECE_MS = 60


def sound(milliseconds: int, level: int) -> bytes:
    return bytes_of(np.resize(np.array([level, -level], np.int16), milliseconds * 16))


@dataclass
class Tape:
    """Fills the port `LiveSound`. `script`: for each side, how long it is loud or quiet, in order."""

    script: dict[Side, list[tuple[int, int]]]
    breaks_at: list[int] = field(default_factory=list)
    clock: FakeClock | None = None
    places: list[str] = field(default_factory=list)

    async def follow(self, source: SoundSource, *, place: str = "") -> AsyncGenerator[SoundPiece, None]:
        self.places.append(place)
        pcm = {side: b"".join(sound(*part) for part in parts) for side, parts in self.script.items()}
        step = PIECE_MS * 32
        for number in range(max(map(len, pcm.values())) // step):
            if place and number <= int(place):
                continue
            if self.breaks_at and number == self.breaks_at[0]:
                self.breaks_at.pop(0)
                raise MediaError("live_sound_away", "the line broke", retryable=True)
            if self.clock is not None:
                await self.clock.sleep_ms(PIECE_MS)
            for side, all_of_it in pcm.items():
                piece = all_of_it[number * step : (number + 1) * step]
                if piece:
                    yield SoundPiece(side, BEGAN_MS + number * PIECE_MS, piece, str(number))


@dataclass
class House:
    step: ListenAlong
    pipes: FakePipes
    files: FakeFileStore

    async def lines(self) -> list[tuple[str, str]]:
        entries = await self.pipes.read(pipe_names.overheard("call-1"))
        return [(one.side, one.text) for one in overheard.read(entry.fields for entry in entries)]


def house(tape: Tape | None, *words: str | SpeechToTextError) -> House:
    clock = FakeClock() if tape is None or tape.clock is None else tape.clock
    pipes, files = FakePipes(clock), FakeFileStore()
    step = ListenAlong(tape, FakeVoiceActivityDetector(), FakeSpeechToText(*words), pipes, files, clock)
    return House(step, pipes, files)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen_along, "_PAUSE_S", 0.0)


TALK = {
    Side.AGENT: [(1000, 3000), (6000, 0)],
    Side.CALLER: [(2500, 0), (1200, 3000), (3300, 0)],
}


async def test_both_sides_are_written_down_in_the_order_of_their_ends() -> None:
    given = house(Tape(TALK), "Hello?", "My line is dead.")
    assert not await given.step(REQUEST, within_s=3600)
    assert await given.lines() == [("agent", "Hello?"), ("caller", "My line is dead.")]
    entries = await given.pipes.read(pipe_names.overheard("call-1"))
    began, ended = (int(entries[1].fields[name]) - BEGAN_MS for name in (b"began_ms", b"ended_ms"))
    assert 2100 <= began <= 2600
    assert 3600 <= ended <= 3900


async def test_it_is_kept_with_the_call() -> None:
    given = house(Tape(TALK), "Hello?", "My line is dead.")
    await given.step(REQUEST, within_s=3600)
    content = await given.files.get("acme/call-1/overheard.jsonl")
    assert content is not None
    kept = [json.loads(line) for line in content.decode().splitlines()]
    assert [line["text"] for line in kept] == ["Hello?", "My line is dead."]


async def test_a_line_that_breaks_is_followed_from_where_it_broke() -> None:
    tape = Tape(TALK, breaks_at=[20, 90])
    given = house(tape, "Hello?", "My line is dead.")
    await given.step(REQUEST, within_s=3600)
    assert tape.places == ["", "", "88"], "who speaks is heard again from the beginning of the speech"
    assert [side for side, _ in await given.lines()] == ["agent", "caller"]


async def test_run_again_it_writes_nothing_twice() -> None:
    given = house(Tape(TALK), "Hello?", "My line is dead.", "My line is dead.")
    await given.step(REQUEST, within_s=3600)
    before = await given.lines()
    await given.step(REQUEST, within_s=3600)
    assert await given.lines() == before


async def test_a_stretch_ends_in_time_and_says_that_there_is_more() -> None:
    clock = FakeClock()
    given = house(Tape(TALK, clock=clock), "Hello?", "My line is dead.")
    assert await given.step(REQUEST, within_s=2.0)
    assert not await given.step(REQUEST, within_s=3600)
    assert await given.lines() == [("agent", "Hello?"), ("caller", "My line is dead.")]


async def test_a_stretch_that_ends_in_a_speech_leaves_it_whole_to_the_next() -> None:
    clock = FakeClock()
    tape = Tape({Side.AGENT: [(3000, 3000), (4000, 0)], Side.CALLER: [(7000, 0)]}, clock=clock)
    given = house(tape, "It is a long story.")
    assert await given.step(REQUEST, within_s=2.0)
    assert await given.lines() == []
    assert not await given.step(REQUEST, within_s=3600)
    assert await given.lines() == [("agent", "It is a long story.")]
    (entry,) = [one for one in await given.pipes.read(pipe_names.overheard("call-1")) if b"text" in one.fields]
    assert abs(int(entry.fields[b"began_ms"]) - BEGAN_MS) < 100


async def test_a_quiet_call_is_not_heard_anew_from_its_beginning() -> None:
    clock = FakeClock()
    tape = Tape({Side.AGENT: [(20_000, 0)], Side.CALLER: [(20_000, 0)]}, clock=clock)
    given = house(tape)
    for _ in range(3):
        assert await given.step(REQUEST, within_s=3.0)
    assert [bool(place) for place in tape.places] == [False, True, True]
    assert int(tape.places[2]) > int(tape.places[1]) > 0
    assert await given.lines() == []


async def test_a_side_that_comes_late_is_written_down_all_the_same() -> None:
    """A fragment may bring one side's whole second before the other's."""

    class Late(Tape):
        async def follow(self, source: SoundSource, *, place: str = "") -> AsyncGenerator[SoundPiece, None]:
            pieces = [piece async for piece in super().follow(source, place=place)]
            for side in (Side.CALLER, Side.AGENT):
                for piece in pieces:
                    if piece.side is side:
                        yield piece

    given = house(Late(TALK), "My line is dead.", "Hello?")
    assert not await given.step(REQUEST, within_s=3600)
    assert await given.lines() == [("agent", "Hello?"), ("caller", "My line is dead.")]
    entries = await given.pipes.read(pipe_names.overheard("call-1"))
    assert [entry.fields[b"side"] for entry in entries] == [b"caller", b"agent"]


async def test_what_is_not_understood_is_left_out() -> None:
    failure = SpeechToTextError("stt_down", "x", retryable=True)
    given = house(Tape(TALK), failure, "My line is dead.")
    await given.step(REQUEST, within_s=3600)
    assert await given.lines() == [("caller", "My line is dead.")]


async def test_a_line_that_keeps_breaking_is_given_up() -> None:
    given = house(Tape(TALK, breaks_at=[1, 1, 1, 1, 1]))
    with pytest.raises(MediaError):
        await given.step(REQUEST, within_s=3600)


async def test_where_it_is_not_wanted_nothing_is_heard() -> None:
    assert not await house(None).step(REQUEST, within_s=1.0)


async def test_a_line_that_breaks_again_and_again_but_goes_on_is_followed_to_its_end() -> None:
    tape = Tape(TALK, breaks_at=[10, 30, 50, 70, 90, 110])
    given = house(tape, "Hello?", "My line is dead.")
    assert not await given.step(REQUEST, within_s=3600)
    assert await given.lines() == [("agent", "Hello?"), ("caller", "My line is dead.")]


async def test_a_speech_that_outlasts_the_line_is_written_in_parts() -> None:
    class Short(Tape):
        async def follow(self, source: SoundSource, *, place: str = "") -> AsyncGenerator[SoundPiece, None]:
            given = 0
            async for piece in super().follow(source, place=place):
                given += 1
                if given > 60:
                    raise MediaError("live_sound_away", "the line broke", retryable=True)
                yield piece

    tape = Short({Side.AGENT: [(9000, 3000), (3000, 0)], Side.CALLER: [(100, 0)]})
    given = house(tape, "one", "two", "three", "four")
    assert not await given.step(REQUEST, within_s=3600)
    speeches = overheard.read(
        [entry.fields for entry in await given.pipes.read(pipe_names.overheard("call-1")) if b"text" in entry.fields]
    )
    assert len(speeches) > 1
    assert speeches[0].began_ms - BEGAN_MS < 100
    assert 8900 < speeches[-1].ended_ms - BEGAN_MS < 9200
    assert all(after.began_ms == before.ended_ms for before, after in itertools.pairwise(speeches))


async def test_what_was_heard_of_a_line_that_is_given_up_is_kept() -> None:
    given = house(Tape(TALK, breaks_at=[60, 60, 60, 60, 60]), "Hello?", "My line")
    with pytest.raises(MediaError):
        await given.step(REQUEST, within_s=3600)
    content = await given.files.get("acme/call-1/overheard.jsonl")
    assert content is not None
    assert b"Hello?" in content
