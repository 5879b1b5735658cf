"""Speaking: soon, in step with the ear, silent at once when told, and honest about what was heard."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS, samples_of
from shared.domain.errors import MediaError, NotFound, StoreError, TextToSpeechError
from shared.domain.playback import LEAD_MS, piece_bytes
from shared.domain.takes import Final
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.telephony import FakeMediaChannel
from tests.shared.use_cases.speaking.line import (
    answer,
    ended,
    interrupt,
    played,
    sentences,
    sound,
    speaker,
    take,
)

ANSWER = ["Let me look for it.", "It is on its way to you now.", "Anything else?"]
WHOLE = " ".join(ANSWER)


async def journal(house: House, turn: int = 1) -> dict[str, str]:
    return await house.live_calls.journal(CALL_ID, turn)


async def test_an_answer_is_said(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert played(house) == sound(tts, *ANSWER)
    assert house.channel.heard() == sound(tts, *ANSWER)
    assert tts.said == ANSWER
    assert set(tts.voices) == {"bright"}
    assert house.channel.clears == 0
    assert [message["text"] for message in house.channel.shown] == ANSWER  # type: ignore[index]
    assert await ended(house, 1) == (WHOLE, "completed")
    kept = await journal(house)
    assert (kept["said"], kept["outcome"]) == (WHOLE, "completed")
    assert float(kept["first_audio_byte_ms"]) <= float(kept["first_frame_sent_ms"]) < float(kept["playback_ended_ms"])


async def test_the_first_piece_is_short_and_goes_out_soon(house: House, tts: FakeTextToSpeech) -> None:
    began_ms = house.clock.now_ms()
    await answer(house, 1, *ANSWER)
    await speaker(house, tts)(turn_request(1))
    assert [len(piece.pcm) for piece in house.channel.played[:3]] == [piece_bytes(before) for before in range(3)]
    assert house.channel.played[0].from_ms - began_ms < 30


async def test_marks_are_few(house: House, tts: FakeTextToSpeech) -> None:
    """The first piece has one, the last of each sentence, and in between they are not far apart."""
    await answer(house, 4, "Yes.", "No.", "x" * 60)
    await speaker(house, tts)(turn_request(4))
    marks = [piece.mark for piece in house.channel.played]
    assert marks == ["4-1", "4-2", "4-3", None, "4-5", None, "4-7", None, "4-9", None, "4-11"]


async def test_it_speaks_while_the_answer_is_still_being_thought(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await house.clock.sleep_ms(100)
    assert house.channel.played == []
    await sentences(house, 1, ANSWER[0], outcome=None)
    await house.clock.sleep_ms(30)
    assert house.channel.played
    await house.clock.sleep_ms(1_500)
    await sentences(house, 1, *ANSWER[1:], after=1)
    assert await task == "completed"
    assert played(house) == sound(tts, *ANSWER)


async def test_sending_never_runs_far_ahead_of_the_ear(house: House, tts: FakeTextToSpeech) -> None:
    ahead_ms: list[float] = []
    honest = house.channel.play

    async def play(pcm: bytes, mark: str | None) -> None:
        buffered_ms = max((piece.until_ms for piece in house.channel.played), default=0) - house.clock.now_ms()
        ahead_ms.append(max(0.0, buffered_ms))
        await honest(pcm, mark)

    house.channel.play = play  # type: ignore[method-assign]
    await answer(house, 1, *ANSWER)
    await speaker(house, tts)(turn_request(1))
    assert max(ahead_ms) <= LEAD_MS + 1
    assert min(ahead_ms[3:]) > LEAD_MS / 2, "and never lets the line run dry"


async def test_a_call_that_ends_before_it_is_connected() -> None:
    house = House()
    await house.ring()
    await house.end_call.note(CALL_ID, "no_media")  # type: ignore[arg-type]
    assert await speaker(house, FakeTextToSpeech(house.clock))(turn_request(0)) == "unheard"
    assert await ended(house, 0) == ("", "unheard")


async def test_it_waits_for_the_line() -> None:
    house = House()
    await house.ring()
    await answer(house, 0, "Hello.")
    task = asyncio.create_task(speaker(house, FakeTextToSpeech(house.clock))(turn_request(0)))
    await house.clock.sleep_ms(12_000)
    assert house.channel.played == []
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    await house.attach_media._attach(live, "carriers", "connection-1", "MZ1")
    assert await task == "completed"
    assert house.channels.opened == [("web", "carriers", "connection-1", "MZ1")]
    await house.channel.finish()


async def test_nothing_to_say(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1)
    assert await speaker(house, tts)(turn_request(1)) == "unheard"
    assert "playback_ended_ms" not in await journal(house)


async def test_an_apology_is_a_failed_turn(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, "I am sorry.", outcome="failed")
    assert await speaker(house, tts)(turn_request(1)) == "failed"
    assert (await journal(house))["said"] == "I am sorry."


@pytest.mark.parametrize("failing", [1, 2])
async def test_a_sentence_that_cannot_be_made_is_passed_over(
    house: House, tts: FakeTextToSpeech, failing: int
) -> None:
    tts.errors[ANSWER[failing]] = TextToSpeechError("tts_down", "away", retryable=True)
    await answer(house, 1, *ANSWER)
    assert await speaker(house, tts)(turn_request(1)) == "failed"
    rest = [sentence for number, sentence in enumerate(ANSWER) if number != failing]
    assert played(house) == sound(tts, *rest)
    assert (await journal(house))["said"] == " ".join(rest)


async def test_of_a_sentence_that_breaks_off_some_words_are_history(house: House, tts: FakeTextToSpeech) -> None:
    tts.errors[ANSWER[1]] = TextToSpeechError("tts_cut", "broke off", retryable=True)
    tts.error_after_ms = 1000
    await answer(house, 1, *ANSWER)
    assert await speaker(house, tts)(turn_request(1)) == "failed"
    said = (await journal(house))["said"]
    assert said.startswith(f"{ANSWER[0]} It is on")
    assert said.endswith(ANSWER[2])
    assert said != WHOLE


# interruption


@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize("after_ms", [40, 200, 900, 1_500, 2_500])
async def test_an_interruption(house: House, tts: FakeTextToSpeech, after_ms: int, marks: bool) -> None:
    house.channel = house.channels.channel = FakeMediaChannel(house.clock, house.pipes, CALL_ID, marks=marks)
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(after_ms)
    await interrupt(house, 1)
    stopped_ms = house.clock.now_ms()
    assert await task == "interrupted"
    assert house.clock.now_ms() - stopped_ms < 50
    assert [kind for kind, _ in house.channel.messages if kind != "show"][-1] == "clear", "nothing is sent after it"
    await house.clock.sleep_ms(5_000)
    heard_ms = len(house.channel.heard()) / BYTES_PER_MS
    assert heard_ms == pytest.approx(after_ms, abs=60)
    said = (await journal(house))["said"]
    assert WHOLE.startswith(said)
    assert len(said.split()) == pytest.approx(len(WHOLE.split()) * heard_ms / (len(WHOLE) * 50), abs=1.5)
    assert await ended(house, 1) == (said, "interrupted")
    assert float((await journal(house))["interrupted_ms"]) == pytest.approx(stopped_ms, abs=25)


@pytest.mark.parametrize("after_ms", [20, 160, 200, 330, 400])
async def test_the_send_in_flight_ends_before_the_clear(house: House, tts: FakeTextToSpeech, after_ms: int) -> None:
    house.channel.send_ms = 150
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(after_ms)
    await interrupt(house, 1)
    await task
    await house.clock.sleep_ms(500)
    order = [kind for kind, _ in house.channel.messages if kind != "show"]
    assert order[-1] == "clear", "or the caller would hear more after the silence"
    assert order.count("clear") == 1


async def test_marks_of_what_was_thrown_away_mean_nothing(house: House, tts: FakeTextToSpeech) -> None:
    """After a clear Twilio sends the marks of all that it dropped, at once."""
    honest = house.live_calls.note

    async def slow(*arguments: object) -> None:
        await house.clock.sleep_ms(30)
        await honest(*arguments)  # type: ignore[arg-type]

    await answer(house, 1, "One two three four five six seven eight.")
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(700)
    house.live_calls.note = slow  # type: ignore[method-assign]
    await interrupt(house, 1)
    await task
    marks = [e for e in await house.pipes.read(pipe_names.events(CALL_ID)) if e.fields.get(b"event") == b"mark"]
    assert len(marks) == sum(piece.mark is not None for piece in house.channel.played), "all marks are there"
    assert len((await journal(house))["said"].split()) <= 3


async def test_interrupted_before_a_word_was_said(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(100)
    await interrupt(house, 1)
    assert await task == "unheard"
    assert house.channel.messages == [], "there is nothing to clear"
    assert "interrupted_ms" not in await journal(house)


async def test_interrupted_after_everything_was_sent(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, "One two three four five six.")
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(1_100)
    assert not task.done()
    await interrupt(house, 1)
    assert await task == "interrupted"
    assert (await journal(house))["said"] == "One two three four"


async def test_a_call_that_ends_stops_the_agent_within_seconds(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(100)
    await house.live_calls.end(CALL_ID, "error")
    began_ms = house.clock.now_ms()
    assert await task == "unheard"
    assert house.clock.now_ms() - began_ms <= 6_000


# the line


@pytest.mark.parametrize("sends", [0, 1, 3])
async def test_a_line_that_is_gone_ends_the_answer(house: House, tts: FakeTextToSpeech, sends: int) -> None:
    house.channel.play_errors = [*([None] * sends), MediaError("connection_gone", "gone")]
    await answer(house, 1, *ANSWER)
    outcome = await speaker(house, tts)(turn_request(1))
    assert outcome == "interrupted"
    assert len((await journal(house))["said"]) < len(WHOLE)
    assert len(await house.pipe(1, pipe_names.SPOKEN)) == 1


@pytest.mark.parametrize("sends", range(8))
async def test_a_line_that_stumbles_goes_on_where_it_stopped(house: House, tts: FakeTextToSpeech, sends: int) -> None:
    house.channel.play_errors = [*([None] * sends), MediaError("web_pubsub_unavailable", "away", retryable=True)]
    await answer(house, 1, *ANSWER)
    with pytest.raises(MediaError):
        await speaker(house, tts)(turn_request(1))
    assert "outcome" not in await journal(house)
    await house.clock.sleep_ms(200)
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert played(house) == sound(tts, *ANSWER)
    assert (await journal(house))["said"] == WHOLE


async def test_a_line_that_goes_while_it_is_cleared(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(600)
    house.channel.errors = [MediaError("connection_gone", "gone")]
    await interrupt(house, 1)
    assert await task == "interrupted"
    assert "interrupted_ms" in await journal(house)


async def test_without_marks_the_clock_says_when_it_was_heard(tts: FakeTextToSpeech, house: House) -> None:
    house.channel = house.channels.channel = FakeMediaChannel(house.clock, marks=False)
    await answer(house, 1, "One two three.")
    began_ms = house.clock.now_ms()
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert (await journal(house))["said"] == "One two three."
    assert house.clock.now_ms() - began_ms == pytest.approx(len("One two three.") * 50 + 1500, abs=60)


async def test_with_marks_it_ends_with_the_last_of_them(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, "One two three.")
    began_ms = house.clock.now_ms()
    await speaker(house, tts)(turn_request(1))
    assert house.clock.now_ms() - began_ms == pytest.approx(len("One two three.") * 50, abs=60)


async def test_run_again_after_it_was_done_it_changes_nothing(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    await speaker(house, tts)(turn_request(1))
    messages, kept = list(house.channel.messages), await journal(house)
    await house.clock.sleep_ms(1_000)
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert house.channel.messages == messages
    assert await journal(house) == kept
    assert tts.said == ANSWER


# the recording


async def test_what_sounded_is_kept_at_its_place(house: House, tts: FakeTextToSpeech) -> None:
    await house.clock.sleep_ms(1_000)
    await answer(house, 1, *ANSWER)
    await speaker(house, tts)(turn_request(1))
    ((at_ms, pcm),) = house.kept("agent")
    assert at_ms == pytest.approx(1_000, abs=40)
    assert pcm == sound(tts, *ANSWER)


async def test_of_an_interrupted_answer_only_what_sounded_is_kept(house: House, tts: FakeTextToSpeech) -> None:
    await answer(house, 1, *ANSWER)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(700)
    await interrupt(house, 1)
    await task
    ((_, pcm),) = house.kept("agent")
    assert len(pcm) / BYTES_PER_MS == pytest.approx(700, abs=60)
    assert samples_of(pcm).any()


async def test_a_gap_in_the_answer_is_a_gap_in_the_recording(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await sentences(house, 1, ANSWER[0], outcome=None)
    await house.clock.sleep_ms(2_000)
    await sentences(house, 1, *ANSWER[1:], after=1)
    await task
    assert len(house.kept("agent")) == 2


# troubles


async def test_an_agent_that_is_gone(house: House, tts: FakeTextToSpeech) -> None:
    house.directory.agents = []
    with pytest.raises(NotFound, match="agent_unknown"):
        await speaker(house, tts)(turn_request(1))


async def test_pipes_that_fail_are_no_interruption(house: House, tts: FakeTextToSpeech) -> None:
    """The step is run again, and says the rest."""
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Final(1, "?"))
    await sentences(house, 1, ANSWER[0], outcome=None)
    await house.clock.sleep_ms(2_000)
    house.pipes.down = True
    with pytest.raises(StoreError):
        await task
    house.pipes.down = False
    assert "outcome" not in await journal(house)
    await sentences(house, 1, *ANSWER[1:], after=1)
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert played(house) == sound(tts, *ANSWER)
    assert (await journal(house))["said"] == WHOLE
