"""Listening: from frames to words, from one turn to the next, and the ends that a call may come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.domain import pipe_names, takes
from shared.domain.audio import BYTES_PER_MS
from shared.domain.call import EndReason
from shared.domain.errors import NotFound, SpeechToTextError, StoreError
from shared.domain.limits import CallLimits
from tests.fakes.call import CALL_ID, House, silence, turn_request, voice
from tests.fakes.models import FakeSpeechToText
from tests.shared.use_cases.hearing.caller import (
    PAUSE_MS,
    Caller,
    frames_of,
    hear_while,
    hearing,
    over,
    spoken,
    told,
    words,
)

END = {"event": "end"}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.connect()
    yield house
    await house.channel.finish()


@pytest.fixture
def caller(house: House) -> Caller:
    return Caller(house)


async def end_reason(house: House) -> str:
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    return live.end_reason


async def test_a_turn(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("Hello there.")
    began_ms = house.clock.now_ms()
    assert await hear_while(hearing(house, stt), caller, silence(500), voice(1000)) == ""
    stt.assert_complete()
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == words("Hello there.")
    assert house.orchestrations.began == [(CALL_ID, 1)]
    waits = [(CALL_ID, 0, 9000), (CALL_ID, 1, 9000)]
    assert house.orchestrations.over == waits, "for the greeting, and for the answer"
    assert house.channel.shown == [{"type": "heard", "turn": 1, "text": "Hello there."}]
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert journal["heard"] == "Hello there."
    assert float(journal["speech_started_ms"]) == pytest.approx(began_ms + 500, abs=60)
    assert float(journal["speech_ended_ms"]) == pytest.approx(began_ms + 1500, abs=60)
    assert float(journal["turn_ended_ms"]) == pytest.approx(began_ms + 1500 + 320, abs=80)
    assert float(journal["transcript_ms"]) == pytest.approx(began_ms + 1500 + PAUSE_MS, abs=60)
    assert (journal["cost.takes"], journal["cost.takes_withdrawn"], journal["cost.transcriptions"]) == ("1", "0", "1")
    assert stt.closed == 1


async def test_the_words_come_with_some_sound_around_them(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("Hello.")
    await hear_while(hearing(house, stt), caller, silence(1000), voice(1000))
    heard_ms = len(stt.heard[0]) / BYTES_PER_MS
    assert heard_ms == pytest.approx(320 + 1000 + PAUSE_MS, abs=64)
    assert stt.heard[0][: 200 * BYTES_PER_MS] == silence(200)
    assert stt.languages == ["en"]


async def test_an_agent_that_may_not_be_interrupted_is_not(house: House, caller: Caller) -> None:
    house.change_agent(interruptible=False)
    await hear_while(hearing(house, FakeSpeechToText("Hello.")), caller, voice(600))
    assert await house.pipe(0, pipe_names.CONTROL) == []
    assert house.orchestrations.began == [(CALL_ID, 1)]


async def test_the_next_listening_begins_where_this_one_ended(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("First.", "Second.")
    hear = hearing(house, stt)
    await hear_while(hear, caller, voice(600))
    (place,) = await house.pipe(2, pipe_names.CURSOR)
    assert int(place["at_ms"]) == pytest.approx(600 + 320, abs=64)
    await hear_while(hear, caller, voice(700, level=7000), turn=2)
    assert await house.pipe(2, pipe_names.TRANSCRIPT) == words("Second.")
    (first_ms, first), (second_ms, _) = house.kept("caller")
    assert second_ms == first_ms + len(first) // BYTES_PER_MS, "not a frame is lost between, none twice"


async def test_frames_are_forgotten_two_turns_later(house: House, caller: Caller) -> None:
    hear = hearing(house, FakeSpeechToText("One.", "Two.", "Three."))
    for turn in (1, 2, 3):
        await hear_while(hear, caller, voice(600), turn=turn)
    (place,) = await house.pipe(3, pipe_names.CURSOR)
    frames = await house.pipes.read(pipe_names.frames(CALL_ID))
    assert frames[0].position == place["after"], "what turn 3 began with is kept: it may be run again"


async def test_frames_that_come_twice_are_heard_once(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("Hello.")
    await asyncio.gather(hearing(house, stt)(turn_request(1), house.orchestrations), caller.sound(
        silence(200), voice(600), silence(600), repeat=2
    ))  # fmt: skip
    assert len(stt.heard[0]) / BYTES_PER_MS == pytest.approx(200 + 600 + PAUSE_MS, abs=64)


async def test_frames_that_come_again_later_are_heard_once(house: House, caller: Caller) -> None:
    async def talk() -> None:
        await caller.sound(voice(600))
        for event_id in range(10, 20):
            await caller.frame(voice(20), str(event_id))
        await caller.sound(silence(600))

    stt = FakeSpeechToText("Hello.")
    await asyncio.gather(hearing(house, stt)(turn_request(1), house.orchestrations), talk())
    assert len(stt.heard[0]) / BYTES_PER_MS == pytest.approx(600 + PAUSE_MS, abs=64)


@pytest.mark.parametrize("broken", [b"", b"x", b"123", bytes(40_000)])
async def test_some_broken_frames_are_passed_over(house: House, caller: Caller, broken: bytes) -> None:
    for number in range(49):
        await caller.frame(broken, f"broken-{number}")
    assert await hear_while(hearing(house, FakeSpeechToText("Hello.")), caller, voice(600)) == ""


async def test_too_many_broken_frames_end_the_call(house: House, caller: Caller) -> None:
    for number in range(50):
        await caller.frame(b"x", f"broken-{number}")
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, silence(100)) == "error"
    assert await end_reason(house) == "error"


async def test_no_media(house: House) -> None:
    began_ms = house.clock.now_ms()
    assert await hearing(house, FakeSpeechToText())(turn_request(1), house.orchestrations) == "no_media"
    assert house.clock.now_ms() - began_ms == pytest.approx(20_000, abs=100)
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [END]
    assert await house.pipe(2, pipe_names.CURSOR) == [END]
    assert await told(house) == ["stop"]


async def test_nobody_watches_a_call_without_media(house: House) -> None:
    await hearing(house, FakeSpeechToText())(turn_request(1), house.orchestrations)
    assert house.orchestrations.over == [(CALL_ID, 1, 0), (CALL_ID, 0, 0)]


async def test_frames_that_cease_mean_that_the_caller_is_gone(house: House, caller: Caller) -> None:
    hear = hearing(house, FakeSpeechToText())
    _, reason = await asyncio.gather(caller.sound(silence(2000)), hear(turn_request(1), house.orchestrations))
    assert reason == "caller_hung_up"


async def test_a_caller_who_never_speaks(house: House, caller: Caller) -> None:
    await spoken(house)
    began_ms = house.clock.now_ms()
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, b"") == "silent"
    assert house.clock.now_ms() - began_ms == pytest.approx(10_000, abs=200)


async def test_while_the_agent_speaks_the_callers_silence_does_not_count(house: House, caller: Caller) -> None:
    async def agent() -> None:
        await house.live_calls.note(CALL_ID, 0, {"first_frame_sent_ms": house.clock.now_ms()})
        await house.clock.sleep_ms(25_000)
        await spoken(house)

    began_ms = house.clock.now_ms()
    speaking = asyncio.create_task(agent())
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, b"") == "silent"
    await speaking
    assert 35_000 <= house.clock.now_ms() - began_ms <= 46_000


@pytest.mark.parametrize(
    "before", [{"outcome": "unheard", "said": ""}, {"heard": "", "outcome": "unheard", "said": ""}]
)
async def test_after_an_answer_without_words_silence_ends_the_call_too(
    house: House, caller: Caller, before: dict[str, str]
) -> None:
    await house.live_calls.note(CALL_ID, 0, before)
    began_ms = house.clock.now_ms()
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, b"") == "silent"
    assert house.clock.now_ms() - began_ms <= 11_000


async def test_a_short_noise_is_no_speech_and_no_turn(house: House, caller: Caller) -> None:
    await over(house)
    noise = [part for _ in range(20) for part in (voice(40), silence(300))]
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, *noise) == "silent"
    assert house.orchestrations.began == []


async def test_a_caller_who_never_stops_is_answered_after_half_a_minute(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText("Bla bla.")
    assert await hear_while(hearing(house, stt), caller, voice(45_000)) == ""
    assert len(stt.heard[0]) / BYTES_PER_MS == pytest.approx(30_000, abs=200)
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert journal["speech_ended_ms"] == journal["turn_ended_ms"]
    (place,) = await house.pipe(2, pipe_names.CURSOR)
    assert int(place["at_ms"]) == pytest.approx(30_000, abs=100), "the next turn hears the rest"


async def test_a_call_that_is_too_long(house: House, caller: Caller) -> None:
    await spoken(house)
    house.change_agent(silence_limit_s=100_000)
    hear = hearing(house, FakeSpeechToText(), CallLimits(longest_call_s=60))
    assert await hear_while(hear, caller, b"") == "too_long"


@pytest.mark.parametrize("reason", [EndReason.CALLER_HUNG_UP, EndReason.OPERATOR_HUNG_UP, EndReason.ERROR])
async def test_the_end_while_nobody_speaks(house: House, caller: Caller, reason: EndReason) -> None:
    async def leave() -> None:
        await house.clock.sleep_ms(1000)
        await house.end_call.note(CALL_ID, reason)

    leaving = asyncio.create_task(leave())
    assert await hear_while(hearing(house, FakeSpeechToText()), caller, b"") == reason
    await leaving
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [END]
    assert (await house.live_calls.journal(CALL_ID, 1)).get("heard") is None


async def test_last_words_are_in_the_journal_but_nobody_answers(house: House, caller: Caller) -> None:
    async def leave() -> None:
        await house.clock.sleep_ms(1500)
        await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)

    stt = FakeSpeechToText("Goodbye then.")
    leaving = asyncio.create_task(leave())
    assert await hear_while(hearing(house, stt), caller, silence(500), voice(3000)) == "caller_hung_up"
    await leaving
    stt.assert_complete()
    assert (await house.live_calls.journal(CALL_ID, 1))["heard"] == "Goodbye then."
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [END]
    assert (len(house.kept("caller")), house.kept("agent")) == (1, [])


async def test_last_words_that_cannot_be_transcribed_are_no_error(house: House, caller: Caller) -> None:
    async def leave() -> None:
        await house.clock.sleep_ms(1500)
        await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)

    stt = FakeSpeechToText(SpeechToTextError("stt_down", "away", retryable=True))
    leaving = asyncio.create_task(leave())
    assert await hear_while(hearing(house, stt), caller, voice(3000)) == "caller_hung_up"
    await leaving


async def test_speech_that_cannot_be_transcribed_is_told_to_thinking(house: House, caller: Caller) -> None:
    stt = FakeSpeechToText(SpeechToTextError("stt_down", "away", retryable=True))
    assert await hear_while(hearing(house, stt), caller, voice(600)) == ""
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [{"event": "failed"}]
    assert "speech_ended_ms" in await house.live_calls.journal(CALL_ID, 1)
    assert len(await house.pipe(2, pipe_names.CURSOR)) == 1


async def test_a_listening_after_the_end_ends_at_once(house: House) -> None:
    await house.live_calls.end(CALL_ID, "silent")
    await house.write(2, pipe_names.CURSOR, {"event": "end"}, "1-0")
    assert await hearing(house, FakeSpeechToText())(turn_request(2), house.orchestrations) == "silent"
    assert await house.pipe(2, pipe_names.TRANSCRIPT) == [END]
    assert await house.pipe(3, pipe_names.CURSOR) == [END]


async def test_a_listening_whose_turn_never_comes_learns_of_the_end(house: House) -> None:
    async def leave() -> None:
        await house.clock.sleep_ms(1000)
        await house.live_calls.end(CALL_ID, "error")

    leaving = asyncio.create_task(leave())
    began_ms = house.clock.now_ms()
    assert await hearing(house, FakeSpeechToText())(turn_request(2), house.orchestrations) == "error"
    assert house.clock.now_ms() - began_ms <= 11_000
    await leaving


async def test_a_call_that_is_forgotten(house: House) -> None:
    await house.live_calls.close(CALL_ID, 1)
    with pytest.raises(NotFound, match="call_unknown"):
        await hearing(house, FakeSpeechToText())(turn_request(1), house.orchestrations)


async def test_the_sound_is_kept_at_its_place(house: House, caller: Caller) -> None:
    await hear_while(hearing(house, FakeSpeechToText("Hello.")), caller, silence(200), voice(600))
    ((at_ms, pcm),) = house.kept("caller")
    assert at_ms == 0
    assert pcm[: 800 * BYTES_PER_MS] == silence(200) + voice(600)


async def test_files_that_are_away_cost_the_recording_but_not_the_call(house: House, caller: Caller) -> None:
    async def append(name: str, data: bytes) -> None:
        raise StoreError("files_timeout", "away", retryable=True)

    house.files.append = append  # type: ignore[method-assign]
    assert await hear_while(hearing(house, FakeSpeechToText("Hello.")), caller, voice(600)) == ""
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == words("Hello.")


class CrashingPipes:
    """Lets a number of writes pass and then crashes the worker at the next."""

    def __init__(self, house: House, passes: int) -> None:
        self._append, self._passes = house.pipes.append, passes

    async def append(self, pipe: str, fields: object, *, position: str | None = None) -> None:
        if not pipe.endswith(":frames"):
            self._passes -= 1
            if self._passes < 0:
                raise SystemError("the worker died")
        await self._append(pipe, fields, position=position)  # type: ignore[arg-type]


@pytest.mark.parametrize("writes", range(7))
async def test_after_a_crash_it_hears_and_writes_the_same(house: House, caller: Caller, writes: int) -> None:
    """Writes of a turn: hold, stop, tentative take, final take, cursor of the next turn, that listening has ended."""
    await caller.sound(silence(300), voice(800), silence(600))
    honest = house.pipes.append
    house.pipes.append = CrashingPipes(house, writes).append  # type: ignore[method-assign]
    stt = FakeSpeechToText(*["Hello there."] * 2)
    hear = hearing(house, stt)
    crashed = False
    try:
        await hear(turn_request(1), house.orchestrations)
    except SystemError:
        crashed = True
    assert crashed == (writes < 6)
    house.pipes.append = honest  # type: ignore[method-assign]
    before = await house.pipe(2, pipe_names.CURSOR)
    assert await hear(turn_request(1), house.orchestrations) == ""
    assert len({bytes(sound) for sound in stt.heard}) == 1
    assert (await house.pipe(1, pipe_names.TRANSCRIPT))[-1] == {"event": "final", "text": "Hello there."}
    (place,) = await house.pipe(2, pipe_names.CURSOR)
    assert before in ([], [place])
    assert await told(house) == ["hold", "stop"]
    assert len(house.kept("caller")) == 1
    assert (await house.live_calls.journal(CALL_ID, 1))["heard"] == "Hello there."


async def test_after_a_crash_a_final_take_stands(house: House, caller: Caller) -> None:
    """Its answer may have been heard by now, whatever another transcription would give."""
    await caller.sound(silence(300), voice(800), silence(600))
    position, fields = takes.written(takes.Final(3, "Hello there."))
    await house.write(1, pipe_names.TRANSCRIPT, fields, position)
    assert await hearing(house, FakeSpeechToText())(turn_request(1), house.orchestrations) == ""
    assert await house.pipe(1, pipe_names.TRANSCRIPT) == [{"event": "final", "text": "Hello there."}]
    assert (await house.live_calls.journal(CALL_ID, 1))["heard"] == "Hello there."


async def test_after_a_crash_what_was_told_is_not_told_again(house: House, caller: Caller) -> None:
    """A cough that let the agent go on must not hold it a second time."""
    await caller.sound(voice(400), silence(900))
    hear = hearing(house, FakeSpeechToText("", "", "Stop it."))
    first = asyncio.create_task(hear(turn_request(1), house.orchestrations))
    await house.clock.sleep_ms(500)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert await told(house) == ["hold", "resume"]
    assert await hear_while(hear, caller, silence(2000), voice(1000)) == ""
    assert await told(house) == ["hold", "resume", "hold", "stop"]


async def test_after_a_crash_two_turns_do_not_become_one(house: House, caller: Caller) -> None:
    """All of it comes at once, faster than the words of the first."""
    await caller.sound(silence(300), voice(800), silence(1000), voice(800), silence(1000))
    stt = FakeSpeechToText("First.", "Second.", delay_ms=200, clock=house.clock)
    hear = hearing(house, stt)
    for turn, text in ((1, "First."), (2, "Second.")):
        assert await hear_while(hear, caller, b"", turn=turn) == ""
        assert (await house.pipe(turn, pipe_names.TRANSCRIPT))[-1] == {"event": "final", "text": text}


async def test_run_again_after_it_was_done_it_changes_nothing(house: House, caller: Caller) -> None:
    await caller.sound(voice(800), silence(600))
    hear = hearing(house, FakeSpeechToText("Hello."))
    await hear(turn_request(1), house.orchestrations)
    written, kept, frames = list(house.pipes.appended), house.kept("caller"), await frames_of(house)
    await hear(turn_request(1), house.orchestrations)
    assert (house.pipes.appended, house.kept("caller"), await frames_of(house)) == (written, kept, frames)


async def test_pipes_that_are_away_are_told(house: House) -> None:
    house.pipes.down = True
    with pytest.raises(StoreError) as error:
        await hearing(house, FakeSpeechToText())(turn_request(1), house.orchestrations)
    assert error.value.retryable
