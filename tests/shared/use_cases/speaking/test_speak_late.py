"""An answer that is late or cannot be said: a filler, another, and in the end a polite sentence; never dead air."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import StoreError, TextToSpeechError
from shared.domain.ledger import Moment
from shared.domain.manner import Manner
from shared.domain.takes import Final, Tentative
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.shared.use_cases.speaking.line import (
    APOLOGY,
    FILLER,
    FakePrepared,
    Mortal,
    answer,
    ended,
    hold,
    interrupt,
    played,
    resume,
    sentences,
    sound,
    speak_and_die,
    speaker,
    take,
)

ANSWER = ["Let me look for it.", "It is on its way to you now.", "Anything else?"]
WHOLE = " ".join(ANSWER)
FILLER_MS = len(FILLER.pcm) / BYTES_PER_MS


async def journal(house: House) -> dict[str, str]:
    return await house.live_calls.journal(CALL_ID, 1)


async def test_a_late_answer_comes_after_a_filler(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    final_ms = house.clock.now_ms()
    await house.clock.sleep_ms(1_800)
    (filler,) = house.channel.played
    assert filler.pcm == FILLER.pcm
    assert filler.from_ms - final_ms == pytest.approx(1_500, abs=5)
    await sentences(house, 1, *ANSWER)
    assert await task == "completed"
    assert played(house) == FILLER.pcm + sound(tts, *ANSWER)
    assert house.channel.played[1].from_ms == pytest.approx(filler.until_ms, abs=1), "right after it"
    assert await ended(house, 1) == (WHOLE, "completed")
    kept = await journal(house)
    assert float(kept[Moment.FILLER]) == filler.from_ms
    assert float(kept[Moment.FIRST_FRAME_SENT]) > filler.from_ms
    assert kept["cost.fillers"] == "1"
    assert [message["text"] for message in house.channel.shown] == ANSWER  # type: ignore[index]
    assert b"".join(pcm for _, pcm in house.kept("agent")) == played(house), "the recording has it"


async def test_an_answer_in_time_needs_no_filler(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(1_450)
    await sentences(house, 1, *ANSWER)
    assert await task == "completed"
    assert played(house) == sound(tts, *ANSWER)
    assert Moment.FILLER not in await journal(house)


async def test_nobody_waits_before_the_turn_is_over(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "?"))
    await house.clock.sleep_ms(20_000)
    assert house.channel.messages == []
    await answer(house, 1, *ANSWER)
    assert await task == "completed"


async def test_a_model_that_stalls_for_ever(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    final_ms = house.clock.now_ms()
    assert await task == "failed"
    sounds = [(piece.from_ms - final_ms, piece.pcm) for piece in house.channel.played]
    assert [at_ms for at_ms, _ in sounds[:3]] == pytest.approx([1_500, 1_500 + FILLER_MS + 1_500, 8_000], abs=10)
    assert b"".join(pcm for _, pcm in sounds[:2]) == FILLER.pcm * 2
    assert b"".join(pcm for _, pcm in sounds[2:]) == APOLOGY.pcm
    assert await ended(house, 1) == (APOLOGY.text, "failed")
    kept = await journal(house)
    assert float(kept[Moment.RESCUED]) - final_ms == pytest.approx(8_000, abs=10)
    assert kept["cost.fillers"] == "2"
    assert len(tts.said) == 0


@pytest.mark.parametrize("turn", [0, 1])
async def test_where_there_are_no_fillers(house: House, tts: FakeTextToSpeech, turn: int) -> None:
    """Switched off, or before the greeting: only the limit is left."""
    if turn:
        house.change_agent(manner=Manner(filler_after_ms=0, reply_limit_ms=3_000))
    else:
        house.change_agent(manner=Manner(reply_limit_ms=3_000))
    await take(house, turn, Final(1, "?"))
    began_ms = house.clock.now_ms()
    assert await speaker(house, tts)(turn_request(turn)) == "failed"
    assert played(house) == APOLOGY.pcm
    assert house.channel.played[0].from_ms - began_ms == pytest.approx(3_000, abs=5)


async def test_fillers_that_cannot_be_had(house: House, tts: FakeTextToSpeech) -> None:
    prepared = FakePrepared(house.clock, [None, FILLER])
    task = asyncio.create_task(speaker(house, tts, prepared)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    assert await task == "failed"
    assert played(house) == FILLER.pcm + APOLOGY.pcm


async def test_a_filler_that_does_not_come_does_not_hold_up_the_answer(house: House, tts: FakeTextToSpeech) -> None:
    prepared = FakePrepared(house.clock, delay_ms=60_000)
    task = asyncio.create_task(speaker(house, tts, prepared)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(2_000)
    await sentences(house, 1, *ANSWER)
    assert await task == "completed"
    assert played(house) == sound(tts, *ANSWER)


async def test_an_apology_that_does_not_come_does_not_hang_the_turn(house: House, tts: FakeTextToSpeech) -> None:
    prepared = FakePrepared(house.clock, delay_ms=60_000)
    task = asyncio.create_task(speaker(house, tts, prepared)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    began_ms = house.clock.now_ms()
    assert await task == "failed"
    assert house.clock.now_ms() - began_ms < 11_000
    assert await ended(house, 1) == ("", "failed")


async def test_a_gap_between_sentences_is_filled(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await sentences(house, 1, ANSWER[0], outcome=None)
    await house.clock.sleep_ms(len(ANSWER[0]) * 50 + 1_600)
    assert played(house) == sound(tts, ANSWER[0]) + FILLER.pcm
    assert house.channel.played[-1].from_ms - house.channel.played[-2].until_ms == pytest.approx(1_500, abs=5)
    await sentences(house, 1, *ANSWER[1:], after=1)
    assert await task == "completed"
    assert played(house) == sound(tts, ANSWER[0]) + FILLER.pcm + sound(tts, *ANSWER[1:])
    assert await ended(house, 1) == (WHOLE, "completed")


async def test_an_answer_that_never_ends_is_ended(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await sentences(house, 1, ANSWER[0], outcome=None)
    assert await task == "failed"
    assert played(house) == sound(tts, ANSWER[0]) + FILLER.pcm * 2 + APOLOGY.pcm
    pauses = zip(house.channel.played, house.channel.played[1:], strict=False)
    assert max(later.from_ms - earlier.until_ms for earlier, later in pauses) < 8_000
    assert await ended(house, 1) == (f"{ANSWER[0]} {APOLOGY.text}", "failed")


@pytest.mark.parametrize("kind", ["error", "silence", "stall"])
async def test_a_voice_that_fails_at_the_first_sentence(house: House, tts: FakeTextToSpeech, kind: str) -> None:
    if kind == "error":
        tts.errors[ANSWER[0]] = TextToSpeechError("tts_down", "away", retryable=True)
    elif kind == "silence":
        tts.silent = {ANSWER[0]}
    else:
        tts.stalls_ms[ANSWER[0]] = 10**9
    prepared = FakePrepared(house.clock, [None] * 2)
    await answer(house, 1, *ANSWER)
    began_ms = house.clock.now_ms()
    assert await speaker(house, tts, prepared)(turn_request(1)) == "failed"
    assert played(house) == APOLOGY.pcm
    assert house.channel.played[0].from_ms - began_ms < (8_010 if kind == "stall" else 200)
    assert await ended(house, 1) == (APOLOGY.text, "failed")
    assert Moment.RESCUED in await journal(house)


async def test_a_later_sentence_that_is_silent_is_passed_over(house: House, tts: FakeTextToSpeech) -> None:
    tts.silent = {ANSWER[1]}
    await answer(house, 1, *ANSWER)
    assert await speaker(house, tts)(turn_request(1)) == "failed"
    assert played(house) == sound(tts, ANSWER[0], ANSWER[2])
    assert await ended(house, 1) == (f"{ANSWER[0]} {ANSWER[2]}", "failed")


async def test_providers_are_told_when_they_are_late(house: House, tts: FakeTextToSpeech) -> None:
    house.change_agent(manner=Manner(race_after_ms=700))
    await answer(house, 1, *ANSWER)
    await speaker(house, tts)(turn_request(1))
    assert set(tts.late_after_ms) == {700}


# interrupted meanwhile


async def test_a_filler_is_interruptible(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(1_700)
    await hold(house, 1)
    await house.clock.sleep_ms(100)
    assert house.channel.clears == 1
    assert len(house.channel.heard()) / BYTES_PER_MS == pytest.approx(200, abs=10)
    await interrupt(house, 1)
    assert await task == "unheard"
    assert await ended(house, 1) == ("", "unheard")
    ((_, kept),) = house.kept("agent")
    assert len(kept) / BYTES_PER_MS == pytest.approx(200, abs=10)


async def test_a_filler_that_was_held_is_not_taken_up_again(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(1_700)
    await hold(house, 1)
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(300)
    await resume(house, 1)
    assert await task == "completed"
    assert b"".join(piece.pcm for piece in house.channel.played[1:]) == sound(tts, *ANSWER)
    assert await ended(house, 1) == (WHOLE, "completed")


async def test_while_it_is_held_nobody_waits(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(500)
    await hold(house, 1)
    await house.clock.sleep_ms(9_000)
    await resume(house, 1)
    await house.clock.sleep_ms(1_000)
    assert house.channel.played == []
    await sentences(house, 1, *ANSWER)
    assert await task == "completed"


async def test_an_apology_resumes_at_the_cut(house: House, tts: FakeTextToSpeech) -> None:
    house.change_agent(manner=Manner(filler_after_ms=0, reply_limit_ms=2_000))
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(2_400)
    await hold(house, 1)
    await house.clock.sleep_ms(300)
    await resume(house, 1)
    assert await task == "failed"
    await house.clock.sleep_ms(1_500)
    extra_ms = (len(house.channel.heard()) - len(APOLOGY.pcm)) / BYTES_PER_MS
    assert 0 <= extra_ms <= 100
    assert await ended(house, 1) == (APOLOGY.text, "failed")


# who watches over it


async def test_the_first_sound_is_told(house: House, tts: FakeTextToSpeech) -> None:
    told: list[float] = []

    async def tell() -> None:
        told.append(house.clock.now_ms())

    await answer(house, 1, *ANSWER)
    began_ms = house.clock.now_ms()
    await speaker(house, tts)(turn_request(1), tell)
    (at_ms,) = told
    assert at_ms - began_ms < 50


async def test_a_filler_is_a_sound(house: House, tts: FakeTextToSpeech) -> None:
    told: list[float] = []

    async def tell() -> None:
        told.append(house.clock.now_ms())

    task = asyncio.create_task(speaker(house, tts)(turn_request(1), tell))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(1_490)
    assert told == []
    await house.clock.sleep_ms(20)
    assert len(told) == 1
    await sentences(house, 1, *ANSWER)
    await task
    assert len(told) == 1


async def test_that_there_is_nothing_to_say_is_told_too(house: House, tts: FakeTextToSpeech) -> None:
    told: list[float] = []

    async def tell() -> None:
        told.append(house.clock.now_ms())

    await answer(house, 1)
    assert await speaker(house, tts)(turn_request(1), tell) == "unheard"
    assert len(told) == 1


async def test_telling_may_fail(house: House, tts: FakeTextToSpeech, caplog: pytest.LogCaptureFixture) -> None:
    async def tell() -> None:
        raise StoreError("away", "away")

    await answer(house, 1, *ANSWER)
    assert await speaker(house, tts)(turn_request(1), tell) == "completed"
    assert "was not told: StoreError" in caplog.text


# crashes


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(0, 50))
async def test_dying_with_a_late_answer(house: House, tts: FakeTextToSpeech, at: int, after: bool) -> None:
    """The answer is whole and in order whatever was said to fill the gaps."""

    async def thinking() -> None:
        await take(house, 1, Final(1, "?"))
        await house.clock.sleep_ms(1_800)
        await sentences(house, 1, ANSWER[0], outcome=None)
        await house.clock.sleep_ms(len(ANSWER[0]) * 50 + 1_900)
        await sentences(house, 1, *ANSWER[1:], after=1)

    mortal = Mortal(house, at, after=after)
    task = asyncio.create_task(speak_and_die(house, tts, 1, mortal))
    await house.clock.sleep_ms(1)
    thought = asyncio.create_task(thinking())
    await task
    await house.clock.sleep_ms((0, 300, 2_000)[at % 3])
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    await thought
    assert await ended(house, 1) == (WHOLE, "completed")
    sounds = [piece for piece in house.channel.played if piece.pcm != FILLER.pcm]
    again = [
        number
        for number in range(1, len(sounds))
        if sounds[number].pcm == sounds[number - 1].pcm and sounds[number - 1].mark is None
    ]
    whole = sound(tts, *ANSWER)
    candidates = [sounds, *([*sounds[:number], *sounds[number + 1 :]] for number in again)]
    assert whole in [b"".join(piece.pcm for piece in candidate) for candidate in candidates]
    pauses = zip(house.channel.played, house.channel.played[1:], strict=False)
    assert max(later.from_ms - earlier.until_ms for earlier, later in pauses) < 4_000


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(0, 26))
async def test_dying_while_it_apologises(house: House, tts: FakeTextToSpeech, at: int, after: bool) -> None:
    house.change_agent(manner=Manner(filler_after_ms=0, reply_limit_ms=2_000))
    await take(house, 1, Final(1, "?"))
    await sentences(house, 1, ANSWER[0], outcome=None)
    await speak_and_die(house, tts, 1, Mortal(house, at, after=after))
    await house.clock.sleep_ms((0, 300, 2_000)[at % 3])
    assert await speaker(house, tts)(turn_request(1)) == "failed"
    assert await ended(house, 1) == (f"{ANSWER[0]} {APOLOGY.text}", "failed")
    whole = sound(tts, ANSWER[0]) + APOLOGY.pcm
    assert len(whole) <= len(played(house)) <= len(whole) + 400 * BYTES_PER_MS


async def test_back_too_late_it_still_has_a_chance(house: House, tts: FakeTextToSpeech) -> None:
    house.change_agent(manner=Manner(filler_after_ms=0, reply_limit_ms=2_000))
    await house.live_calls.note(CALL_ID, 1, {Moment.TURN_ENDED: house.clock.now_ms() - 5_000})
    tts.stalls_ms[ANSWER[0]] = 1_000
    await answer(house, 1, *ANSWER)
    assert await speaker(house, tts)(turn_request(1)) == "completed"


async def test_back_late_it_fills_the_silence_at_once(house: House, tts: FakeTextToSpeech) -> None:
    await house.live_calls.note(CALL_ID, 1, {Moment.TURN_ENDED: house.clock.now_ms() - 3_000})
    tts.stalls_ms[ANSWER[0]] = 1_000
    await answer(house, 1, *ANSWER)
    began_ms = house.clock.now_ms()
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert house.channel.played[0].pcm == FILLER.pcm
    assert house.channel.played[0].from_ms - began_ms < 20
