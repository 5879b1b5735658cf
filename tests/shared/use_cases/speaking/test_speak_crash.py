"""A worker dies anywhere in the middle of an answer: nothing is said twice, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.domain.audio import BYTES_PER_MS
from shared.domain.manner import Manner
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.telephony import FakeMediaChannel
from tests.shared.use_cases.speaking.line import (
    Died,
    Mortal,
    answer,
    connected,
    ended,
    interrupt,
    played,
    speak_and_die,
    speaker,
)

ANSWER = ["Let me look.", "It is on its way.", "Yes?"]
WHOLE = " ".join(ANSWER)
_OPERATIONS = 45
"""More than the operations of the answer above, which a test counts."""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with connected() as house:
        house.change_agent(manner=Manner(filler_after_ms=0))
        await answer(house, 1, *ANSWER)
        yield house


def sound(tts: FakeTextToSpeech) -> bytes:
    return b"".join(tts.sound_of(sentence) for sentence in ANSWER)


def marks(house: House) -> list[int]:
    """The numbers in the marks that were asked for."""
    return [int(piece.mark.rpartition("-")[2]) for piece in house.channel.played if piece.mark is not None]


def repeats(house: House, whole: bytes, *, marks: bool = True) -> int:
    """All of the answer was sent, in order. Gives how many pieces were sent again, because they bore no mark that
    could have told that they had been.
    """
    if played(house) == whole:
        return 0
    pieces = house.channel.played
    for number in range(1, len(pieces)):
        rest = [*pieces[:number], *pieces[number + 1 :]]
        is_unknown = not marks or pieces[number - 1].mark is None
        is_again = is_unknown and pieces[number].pcm == pieces[number - 1].pcm
        if is_again and b"".join(piece.pcm for piece in rest) == whole:
            return 1
    pytest.fail("what was sent is not the answer")


async def test_an_answer_has_fewer_operations_than_are_tried(house: House, tts: FakeTextToSpeech) -> None:
    mortal = Mortal(house, 10_000, after=False)
    assert not await speak_and_die(house, tts, 1, mortal)
    assert 15 < len(mortal.done) < _OPERATIONS
    kinds = {operation.split()[0] for operation in mortal.done}
    assert kinds == {"append", "note", "count", "play"}
    assert f"append calls/{CALL_ID}.sound" in mortal.done


@pytest.mark.parametrize("pause_ms", [0, 700, 4_000], ids=lambda ms: f"back after {ms} ms")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(_OPERATIONS))
async def test_dying_at_any_point(house: House, tts: FakeTextToSpeech, at: int, after: bool, pause_ms: int) -> None:
    mortal = Mortal(house, at, after=after)
    died = await speak_and_die(house, tts, 1, mortal)
    assert died == (at < len(mortal.done))
    await house.clock.sleep_ms(pause_ms)
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    again = repeats(house, sound(tts))
    await house.clock.sleep_ms(3_000)
    assert again or house.channel.heard() == sound(tts)
    assert house.channel.clears == 0
    assert (await house.live_calls.journal(CALL_ID, 1))["said"] == WHOLE
    assert await ended(house, 1) == (WHOLE, "completed")
    assert sum(len(pcm) for _, pcm in house.kept("agent")) == len(sound(tts)), "the recording has all of it"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(0, 40, 3))
async def test_dying_with_a_voice_that_begins_with_silence(
    house: House, tts: FakeTextToSpeech, at: int, after: bool
) -> None:
    """Which is taken off the answer's beginning, and must be again."""
    tts.silence_ms = 130
    pause = bytes(130 * BYTES_PER_MS)
    whole = bytes(20 * BYTES_PER_MS) + pause.join(tts.sound_of(sentence) for sentence in ANSWER)
    await speak_and_die(house, tts, 1, Mortal(house, at, after=after))
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert repeats(house, whole) <= 1


@pytest.mark.parametrize("second", range(0, 12))
@pytest.mark.parametrize("first", [6, 9, 12, 15])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_dying_twice(house: House, tts: FakeTextToSpeech, first: int, second: int, after: bool) -> None:
    for at in (first, second):
        await speak_and_die(house, tts, 1, Mortal(house, at, after=after))
        await house.clock.sleep_ms(500)
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert repeats(house, sound(tts)) <= 1
    assert (await house.live_calls.journal(CALL_ID, 1))["said"] == WHOLE


async def test_a_piece_that_was_sent_at_the_second_attempt_is_not_sent_a_third_time(
    house: House, tts: FakeTextToSpeech
) -> None:
    """Died before it sent, came back and sent, died at once: only the second time of sending tells."""
    counted = Mortal(house, 10_000, after=False)
    async with connected() as other:
        await answer(other, 1, *ANSWER)
        counted.house = other
        await speak_and_die(other, FakeTextToSpeech(other.clock), 1, counted)
    second_play = [number for number, name in enumerate(counted.done) if name == "play"][2]
    await speak_and_die(house, tts, 1, Mortal(house, second_play, after=False))
    await house.clock.sleep_ms(2_000)
    again = Mortal(house, 10_000, after=True)
    honest = house.channel.play

    async def play_and_die(pcm: bytes, mark: str | None) -> None:
        await honest(pcm, mark)
        again.at = 0

    with again:
        house.channel.play = play_and_die  # type: ignore[method-assign]
        task = asyncio.create_task(_until_died(house, tts))
        assert await task
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert repeats(house, sound(tts)) <= 1


async def _until_died(house: House, tts: FakeTextToSpeech) -> bool:
    try:
        await speaker(house, tts)(turn_request(1))
    except Died:
        return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(_OPERATIONS))
async def test_without_marks_at_most_the_last_piece_is_repeated(
    house: House, tts: FakeTextToSpeech, at: int, after: bool
) -> None:
    """Nobody can know whether it was sent; rather twice than never."""
    house.channel = house.channels.channel = FakeMediaChannel(house.clock, marks=False)
    await speak_and_die(house, tts, 1, Mortal(house, at, after=after))
    await house.clock.sleep_ms(700)
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert repeats(house, sound(tts), marks=False) <= 1
    assert (await house.live_calls.journal(CALL_ID, 1))["said"] == WHOLE


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(0, 40, 2))
async def test_dying_while_interrupted(house: House, tts: FakeTextToSpeech, at: int, after: bool) -> None:
    """Back again, it says nothing more, and the history does not grow by what was thrown away."""

    async def caller() -> None:
        await house.clock.sleep_ms(700)
        await interrupt(house, 1)

    interrupting = asyncio.create_task(caller())
    mortal = Mortal(house, at, after=after)
    died = await speak_and_die(house, tts, 1, mortal)
    await interrupting
    sends = len(house.channel.played)
    await house.clock.sleep_ms(4_000)
    outcome = await speaker(house, tts)(turn_request(1))
    if died:
        assert len(house.channel.played) == sends
    heard_ms = len(house.channel.heard()) / BYTES_PER_MS
    said = (await house.live_calls.journal(CALL_ID, 1))["said"]
    assert outcome == ("interrupted" if house.channel.played else "unheard")
    assert WHOLE.startswith(said)
    words = len(WHOLE.split()) * heard_ms / (len(WHOLE) * 50)
    buffered_words = 3  # what the carrier went on to play after the order, while nobody was there to clear it
    assert words - buffered_words <= len(said.split()) <= words + 1.5
    assert await ended(house, 1) == (said, outcome)


async def test_a_sentence_that_broke_off_is_not_mended_after_those_that_follow(
    house: House, tts: FakeTextToSpeech
) -> None:
    from shared.domain.errors import TextToSpeechError

    tts.errors[ANSWER[0]] = TextToSpeechError("tts_cut", "broke off", retryable=True)
    tts.error_after_ms = 300
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    tts.errors.clear()
    assert await speaker(house, tts)(turn_request(1)) == "failed"
    assert marks(house) == sorted(set(marks(house)))


@pytest.mark.parametrize("at", range(2, 30))
async def test_another_voice_after_a_crash_goes_on_at_the_same_place(
    house: House, tts: FakeTextToSpeech, at: int
) -> None:
    """Models do not always speak at the same pace: what was made stands, the rest is appended."""
    await speak_and_die(house, tts, 1, Mortal(house, at, after=True))
    made = [piece.pcm for piece in house.channel.played]
    faster = FakeTextToSpeech(house.clock, ms_per_character=20)
    assert await speaker(house, faster)(turn_request(1)) == "completed"
    assert [piece.pcm for piece in house.channel.played][: len(made)] == made
    assert marks(house) == sorted(set(marks(house)))
    assert (await house.live_calls.journal(CALL_ID, 1))["said"] == WHOLE
