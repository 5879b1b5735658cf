"""The caller makes a sound while the agent speaks: it holds, and goes on at the cut or stops for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from shared.domain import interruption, pipe_names
from shared.domain.audio import BYTES_PER_MS, samples_of
from shared.domain.manner import Manner
from shared.domain.playback import BACK_UP_MS
from shared.domain.takes import Final, Tentative
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.telephony import FakeMediaChannel
from tests.shared.use_cases.speaking.line import (
    Mortal,
    answer,
    connected,
    ended,
    hold,
    interrupt,
    order,
    resume,
    sentences,
    sound,
    speak_and_die,
    speaker,
    take,
)

ANSWER = ["Let me look for it.", "It is on its way to you now.", "Anything else?"]
WHOLE = " ".join(ANSWER)
_OPERATIONS = 75
"""More than the operations of an answer with two holds, which a test counts."""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with connected() as house:
        house.change_agent(manner=Manner(filler_after_ms=0))
        yield house


def kinds(house: House) -> list[str]:
    return [kind for kind, _ in house.channel.messages if kind != "show"]


async def held_entries(house: House, turn: int = 1) -> list[tuple[str, str]]:
    spoken = await house.pipes.read(pipe_names.turn(CALL_ID, turn, pipe_names.SPOKEN))
    return [
        (entry.position, entry.fields[b"said"].decode()) for entry in spoken if entry.fields.get(b"event") == b"held"
    ]


@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize("after_ms", [40, 200, 333, 900, 1_500, 2_500, 2_990])
async def test_a_false_interruption(house: House, tts: FakeTextToSpeech, after_ms: int, marks: bool) -> None:
    house.channel = house.channels.channel = FakeMediaChannel(house.clock, house.pipes, CALL_ID, marks=marks)
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(after_ms)
    await hold(house, 1)
    await house.clock.sleep_ms(700)
    sends = len(house.channel.played)
    assert kinds(house)[-1] == "clear"
    (entry,) = await held_entries(house)
    assert entry[0] == "1-0"
    assert WHOLE.startswith(entry[1])
    heard_ms = len(house.channel.heard()) / BYTES_PER_MS
    assert heard_ms == pytest.approx(after_ms, abs=10)
    assert len(entry[1].split()) == pytest.approx(len(WHOLE.split()) * heard_ms / (len(WHOLE) * 50), abs=1.5)
    assert (await house.live_calls.journal(CALL_ID, 1))["said"] == entry[1]
    await resume(house, 1)
    await house.clock.sleep_ms(5)
    assert len(house.channel.played) > sends, "at once"
    assert await task == "completed"
    await house.clock.sleep_ms(1_000)
    assert house.channel.heard() == sound(tts, *ANSWER), "exactly at the cut, where no place is quieter"
    assert await ended(house, 1) == (WHOLE, "completed")
    assert (await house.live_calls.journal(CALL_ID, 1))["cost.false_interruptions"] == "1"
    marked = [piece.mark for piece in house.channel.played if piece.mark]
    assert len(marked) == len(set(marked))


async def test_it_goes_on_at_a_quiet_place_shortly_before_the_cut(house: House, tts: FakeTextToSpeech) -> None:
    whole = tts.sound_of("x" * 40)
    pause_from, pause_to = 830 * BYTES_PER_MS, 860 * BYTES_PER_MS
    whole = whole[:pause_from] + bytes(pause_to - pause_from) + whole[pause_to:]
    tts.sound_of = lambda text: whole  # type: ignore[method-assign]
    await answer(house, 1, "x" * 40)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(900)
    await hold(house, 1)
    await house.clock.sleep_ms(300)
    heard = len(house.channel.heard())
    await resume(house, 1)
    assert await task == "completed"
    again = heard - (len(whole) - (len(house.channel.heard()) - heard))
    assert 30 <= again / BYTES_PER_MS <= BACK_UP_MS
    assert house.channel.heard()[heard : heard + 10 * BYTES_PER_MS] == bytes(10 * BYTES_PER_MS)
    assert (await ended(house, 1))[0] == "x" * 40


async def test_several_holds(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    for number in (1, 2, 3):
        await house.clock.sleep_ms(450)
        await hold(house, 1, number)
        await house.clock.sleep_ms(250)
        await resume(house, 1, number)
    assert await task == "completed"
    await house.clock.sleep_ms(1_000)
    assert house.channel.heard() == sound(tts, *ANSWER)
    assert [position for position, _ in await held_entries(house)] == ["1-0", "2-0", "3-0"]
    assert (await house.live_calls.journal(CALL_ID, 1))["cost.false_interruptions"] == "3"
    assert sum(len(pcm) for _, pcm in house.kept("agent")) == len(sound(tts, *ANSWER))
    assert len(house.kept("agent")) == 4, "with its gaps"


@pytest.mark.parametrize("holds", [1, 2])
async def test_a_hold_that_was_an_interruption(house: House, tts: FakeTextToSpeech, holds: int) -> None:
    """What was heard is counted up to the hold, across what was said before and after earlier ones."""
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    for number in range(1, holds + 1):
        await house.clock.sleep_ms(600)
        await hold(house, 1, number)
        held_ms = house.clock.now_ms()
        await house.clock.sleep_ms(300)
        if number < holds:
            await resume(house, 1, number)
    await interrupt(house, 1)
    assert await task == "interrupted"
    said, _ = await ended(house, 1)
    assert said == (await held_entries(house))[-1][1]
    heard_ms = len(house.channel.heard()) / BYTES_PER_MS
    assert heard_ms == pytest.approx(600 * holds, abs=20)
    assert len(said.split()) == pytest.approx(len(WHOLE.split()) * heard_ms / (len(WHOLE) * 50), abs=1.5)
    assert kinds(house).count("clear") == holds
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert (journal["said"], journal["outcome"]) == (said, "interrupted")
    assert float(journal["interrupted_ms"]) == pytest.approx(held_ms, abs=5)
    assert 0 <= float(journal["cleared_ms"]) - float(journal["interrupted_ms"]) < 5
    assert sum(len(pcm) for _, pcm in house.kept("agent")) == len(house.channel.heard())


async def test_the_send_in_flight_ends_before_the_clear(house: House, tts: FakeTextToSpeech) -> None:
    house.channel.send_ms = 150
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(200)
    await hold(house, 1)
    await house.clock.sleep_ms(200)
    assert kinds(house)[-1] == "clear"
    heard = house.channel.heard()
    await house.clock.sleep_ms(300)
    assert house.channel.heard() == heard
    await resume(house, 1)
    assert await task == "completed"
    await house.clock.sleep_ms(1_000)
    assert len(house.channel.heard()) == pytest.approx(
        len(sound(tts, *ANSWER)), abs=(BACK_UP_MS + 150) * BYTES_PER_MS
    )


async def test_silence_comes_before_what_is_written_about_it(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    honest = house.live_calls.note

    async def slow(*arguments: object) -> None:
        await house.clock.sleep_ms(200)
        await honest(*arguments)  # type: ignore[arg-type]

    house.live_calls.note = slow  # type: ignore[method-assign]
    await hold(house, 1)
    await house.clock.sleep_ms(2)
    assert kinds(house)[-1] == "clear"
    await resume(house, 1)
    assert await task == "completed"


async def test_held_before_a_word_was_said(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "?"))
    await house.clock.sleep_ms(100)
    await hold(house, 1)
    await take(house, 1, Final(1, "?"))
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(2_000)
    assert house.channel.messages == [], "nothing to play, nothing to clear"
    assert tts.said == ANSWER, "but it is made meanwhile"
    assert await held_entries(house) == [("1-0", "")]
    await resume(house, 1)
    await house.clock.sleep_ms(2)
    assert house.channel.played
    assert await task == "completed"
    assert await ended(house, 1) == (WHOLE, "completed")


async def test_held_and_stopped_before_a_word_was_said(house: House, tts: FakeTextToSpeech) -> None:
    await hold(house, 1)
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(500)
    await interrupt(house, 1)
    assert await task == "unheard"
    assert house.channel.messages == []
    assert await ended(house, 1) == ("", "unheard")


async def test_a_hold_that_nobody_ends(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    await hold(house, 1)
    held_ms = house.clock.now_ms()
    assert await task == "interrupted"
    assert house.clock.now_ms() - held_ms == pytest.approx(10_000, abs=20)
    assert (await ended(house, 1))[0] == (await held_entries(house))[0][1]


async def test_a_call_that_ends_during_a_hold(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    await hold(house, 1)
    await house.clock.sleep_ms(100)
    await house.end_call.note(CALL_ID, "caller_hung_up")  # type: ignore[arg-type]
    await house.clock.sleep_ms(20)
    assert task.done()
    assert await task == "interrupted"


async def test_a_hold_after_the_last_word(house: House, tts: FakeTextToSpeech) -> None:
    """Its mark has not come back yet; then all of it was heard, and the answer is complete."""
    house.channel = house.channels.channel = FakeMediaChannel(house.clock, marks=False)
    await answer(house, 1, "Yes.")
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    await hold(house, 1)
    await house.clock.sleep_ms(100)
    await interrupt(house, 1)
    assert await task == "completed"
    assert await ended(house, 1) == ("Yes.", "completed")


async def test_an_order_that_comes_twice_is_obeyed_once(house: House, tts: FakeTextToSpeech) -> None:
    """A resumption of a hold that was resumed already, as a listening that is run again may write it."""
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    await hold(house, 1)
    await house.clock.sleep_ms(100)
    await resume(house, 1)
    await order(house, 1, interruption.Hold(1, house.clock.now_ms()))
    assert await task == "completed"
    assert kinds(house).count("clear") == 1


async def test_a_turn_that_somebody_else_has_ended(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    await house.live_calls.note(CALL_ID, 1, {"said": "I am sorry.", "outcome": "failed"})
    await interrupt(house, 1)
    assert await task == "failed"
    assert await ended(house, 1) == ("I am sorry.", "failed")


# crashes


@pytest.mark.parametrize("slow_pipes", [(":transcript", ":sentences"), (":sentences",)])
async def test_run_again_it_knows_its_words_before_it_counts_them(
    house: House, tts: FakeTextToSpeech, slow_pipes: tuple[str, ...]
) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(1_000)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await interrupt(house, 1)
    honest = house.pipes.follow

    async def slow(pipe: str, after: str = "0-0", *, idle_s: float = 5.0) -> AsyncIterator[object]:
        if pipe.endswith(slow_pipes):
            await house.clock.sleep_ms(300)
        async for batch in honest(pipe, after, idle_s=idle_s):
            yield batch

    house.pipes.follow = slow  # type: ignore[method-assign, assignment]
    sends = len(house.channel.played)
    assert await speaker(house, tts)(turn_request(1)) == "interrupted"
    assert len(house.channel.played) == sends
    said, _ = await ended(house, 1)
    assert said == "Let me look for it."
    assert (await house.live_calls.journal(CALL_ID, 1))["said"] == said


async def _disturb(house: House) -> None:
    await house.clock.sleep_ms(500)
    await hold(house, 1, 1)
    await house.clock.sleep_ms(300)
    await resume(house, 1, 1)
    await house.clock.sleep_ms(700)
    await hold(house, 1, 2)
    await house.clock.sleep_ms(300)
    await resume(house, 1, 2)


async def test_two_holds_have_fewer_operations_than_are_tried(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    mortal = Mortal(house, 10_000, after=False)
    disturbing = asyncio.create_task(_disturb(house))
    assert not await speak_and_die(house, tts, 1, mortal)
    await disturbing
    assert 30 < len(mortal.done) < _OPERATIONS
    assert {operation.split()[0] for operation in mortal.done} == {"append", "note", "count", "play", "clear"}
    assert f"append calls/{CALL_ID}.sound" in mortal.done


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(_OPERATIONS))
async def test_dying_between_holds(house: House, tts: FakeTextToSpeech, at: int, after: bool) -> None:
    """Nothing is left out, and no more is heard twice than one piece and a backing up."""
    pause_ms = (0, 200, 3_000)[at % 3]
    await answer(house, 1, *ANSWER)
    disturbing = asyncio.create_task(_disturb(house))
    await speak_and_die(house, tts, 1, Mortal(house, at, after=after))
    await house.clock.sleep_ms(pause_ms)
    outcome = await speaker(house, tts)(turn_request(1))
    await disturbing
    await house.clock.sleep_ms(2_000)
    assert outcome == "completed"
    assert await ended(house, 1) == (WHOLE, "completed")
    heard, whole = house.channel.heard(), sound(tts, *ANSWER)
    assert len(heard) >= len(whole) - 30 * BYTES_PER_MS
    assert len(heard) <= len(whole) + 500 * BYTES_PER_MS
    assert order_of(heard, tts) == ANSWER, "no sentence is heard again after the next one"
    marked = [piece.mark for piece in house.channel.played if piece.mark]
    assert len(marked) == len(set(marked))


def order_of(heard: bytes, tts: FakeTextToSpeech) -> list[str]:
    """The sentences in the order in which they begin to be heard, by their levels."""
    level = {int(samples_of(tts.sound_of(text))[0]): text for text in ANSWER}
    levels = samples_of(heard)
    changes = [0, *(np.flatnonzero(np.diff(levels)) + 1)]
    return [level[int(levels[place])] for place in changes]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(0, _OPERATIONS))
async def test_dying_before_an_interruption_is_sure(
    house: House, tts: FakeTextToSpeech, at: int, after: bool
) -> None:
    """What is told in the end is what was heard."""
    pause_ms = (0, 200, 3_000)[at % 3]

    async def caller() -> None:
        await house.clock.sleep_ms(500)
        await hold(house, 1, 1)
        await house.clock.sleep_ms(300)
        await resume(house, 1, 1)
        await house.clock.sleep_ms(700)
        await hold(house, 1, 2)
        await house.clock.sleep_ms(300)
        await interrupt(house, 1)

    await answer(house, 1, *ANSWER)
    talking = asyncio.create_task(caller())
    await speak_and_die(house, tts, 1, Mortal(house, at, after=after))
    await house.clock.sleep_ms(pause_ms)
    await speaker(house, tts)(turn_request(1))
    await talking
    said, outcome = await ended(house, 1)
    assert outcome == ("interrupted" if house.channel.played else "unheard")
    assert WHOLE.startswith(said)
    heard = house.channel.heard()
    words = len(WHOLE.split()) * len(heard) / BYTES_PER_MS / (len(WHOLE) * 50)
    assert len(said.split()) <= words + 1.5
    assert len(said.split()) >= words - 500 / 50 / 5 - 1.5
