"""What every transcription does, and how it fails."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial

import pytest

from shared.domain.errors import SpeechToTextError
from tests.contracts.ears import PROVIDERS, OpenEar, adapter, asking, ear, feed, spoken
from tests.fakes.call import silence, voice
from tests.fakes.clock import FakeClock
from tests.fakes.models import FakeSpeechToText
from tests.services import free_port


@pytest.fixture(params=PROVIDERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_ear(kind: str) -> OpenEar:
    return partial(ear, kind)


async def test_words_come_trimmed_and_silence_is_empty(open_ear: OpenEar) -> None:
    async with open_ear(" Where is my order? ", "नमस्ते", "") as it:
        for wanted in ("Where is my order?", "नमस्ते", ""):
            turn = it.open()
            await feed(turn, 500)
            assert await turn.words() == wanted
            await turn.close()


async def test_at_a_second_pause_all_is_heard_again(open_ear: OpenEar) -> None:
    async with open_ear("I want", "I want a refund.") as it:
        turn = it.open()
        await feed(turn, 800)
        assert await turn.words() == "I want"
        await feed(turn, 600)
        assert await turn.words() == "I want a refund."
        assert [entry["details"]["audio_ms"] for entry in await spoken(it.service)] == pytest.approx(
            [800, 1400], abs=5
        )
        await turn.close()


async def test_what_is_cut_off_stands_and_is_not_heard_again(open_ear: OpenEar) -> None:
    async with open_ear("I want", "A refund.", "A refund, please.") as it:
        turn = it.open()
        await feed(turn, 800)
        await turn.words()
        turn.cut()
        await feed(turn, 600)
        assert await turn.words() == "I want a refund."
        await feed(turn, 400)
        assert await turn.words() == "I want a refund, please."
        turn.cut()
        assert await turn.words() == "I want a refund, please."
        heard_ms = [entry["details"]["audio_ms"] for entry in await spoken(it.service)]
        assert heard_ms == pytest.approx([800, 600, 1000], abs=5)
        await turn.close()


async def test_a_cut_stands_only_for_what_was_answered(open_ear: OpenEar) -> None:
    async with open_ear("One", "Two, three.") as it:
        turn = it.open()
        await feed(turn, 600)
        assert await turn.words() == "One"
        await feed(turn, 700)
        turn.cut()
        assert await turn.words() == "One Two, three."
        assert (await spoken(it.service))[-1]["details"]["audio_ms"] == pytest.approx(700, abs=5)
        await turn.close()


async def test_nobody_is_asked_without_new_sound(open_ear: OpenEar) -> None:
    async with open_ear("Yes.") as it:
        turn = it.open()
        assert await turn.words() == ""
        turn.cut()
        await feed(turn, 300)
        assert [await turn.words() for _ in range(3)] == ["Yes."] * 3
        assert len(await spoken(it.service)) == 1
        await turn.close()


async def test_who_stops_waiting_may_ask_again(open_ear: OpenEar) -> None:
    async with open_ear("Well.", "Well, yes.", "Well, yes.", stt_ms=300) as it:
        turn = it.open()
        await feed(turn, 300)
        asking_words = asyncio.create_task(turn.words())
        await asyncio.sleep(0.1)
        asking_words.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking_words
        await feed(turn, 300)
        assert (await turn.words()).startswith("Well")
        assert (await spoken(it.service))[-1]["details"]["audio_ms"] == pytest.approx(600, abs=5)
        await turn.close()


async def test_thirty_seconds_of_speech(open_ear: OpenEar) -> None:
    async with open_ear("A long story.", "And its end.") as it:
        turn = it.open()
        await feed(turn, 30_000)
        assert await turn.words() == "A long story."
        turn.cut()
        await feed(turn, 500)
        assert await turn.words() == "A long story. And its end."
        await turn.close()


async def test_a_sliver_and_a_torn_sample_are_heard(open_ear: OpenEar) -> None:
    async with open_ear("Hm.") as it:
        turn = it.open()
        turn.feed(voice(20)[:-1])
        assert await turn.words() == "Hm."
        await turn.close()


async def test_two_calls_do_not_hear_each_other(open_ear: OpenEar) -> None:
    async with open_ear("One.", "One.") as it:
        turns = [it.open("call-1"), it.open("call-2")]
        for turn, duration_ms in zip(turns, (400, 900), strict=True):
            await feed(turn, duration_ms)
        assert await asyncio.gather(*(turn.words() for turn in turns)) == ["One.", "One."]
        assert sorted(entry["details"]["audio_ms"] for entry in await spoken(it.service)) == pytest.approx(
            [400, 900], abs=5
        )
        for turn in turns:
            await turn.close()


async def test_a_language_of_any_form_is_taken(open_ear: OpenEar) -> None:
    async with open_ear("Yes.", "Yes.", "Yes.", "Yes.") as it:
        for language in ("en-US", "hi", "or", "unknown"):
            turn = it.open(language=language)
            await feed(turn, 200)
            assert await turn.words() == "Yes."
            await turn.close()


async def test_close_is_harmless_at_any_time(open_ear: OpenEar) -> None:
    async with open_ear("Yes.", stt_ms=200) as it:
        await it.open().close()
        turn = it.open()
        await feed(turn, 300)
        await turn.close()
        turn = it.open()
        await feed(turn, 300)
        asking_words = asyncio.create_task(turn.words())
        await asyncio.sleep(0.05)
        asking_words.cancel()
        await asyncio.gather(asking_words, return_exceptions=True)
        await turn.close()
        await turn.close()


async def test_ready(open_ear: OpenEar) -> None:
    async with open_ear() as it:
        await it.speech_to_text.ping()


async def test_an_empty_answer_is_no_error(open_ear: OpenEar) -> None:
    async with open_ear("Yes.") as it:
        await it.service.order(step="stt", kind="empty")
        turn = it.open()
        turn.feed(silence(300))
        assert await turn.words() == ""
        await feed(turn, 300)
        assert await turn.words() == "Yes."
        await turn.close()


@pytest.mark.parametrize("fault", ["http_500", "http_429", "cut"])
async def test_one_hiccup_is_not_noticed(open_ear: OpenEar, fault: str) -> None:
    async with open_ear("Where is my order?") as it:
        await it.service.order(step="stt", kind=fault)
        turn = it.open()
        await feed(turn, 500)
        assert await turn.words() == "Where is my order?"
        await turn.close()


@pytest.mark.parametrize("fault", ["http_500", "http_429", "cut"])
async def test_a_provider_that_keeps_failing_until_it_does_not(open_ear: OpenEar, fault: str) -> None:
    async with open_ear("Where is my order?") as it:
        await it.service.order(step="stt", kind=fault, count=3)
        turn = it.open()
        await feed(turn, 500)
        with pytest.raises(SpeechToTextError) as error:
            await turn.words()
        assert error.value.retryable
        await feed(turn, 500)
        with suppress(SpeechToTextError):
            await turn.words()
        assert await turn.words() == "Where is my order?"
        await turn.close()


async def test_a_provider_that_stalls_costs_the_deadline_and_no_more(open_ear: OpenEar, kind: str) -> None:
    patience = {"deadline_s": 0.5} if kind == "requests" else {"deadline_s": 0.5, "patience_s": 0.2}
    async with open_ear(patience=patience) as it:
        await it.service.order(step="stt", kind="stall", count=9)
        turn = it.open()
        await feed(turn, 500)
        began = time.monotonic()
        with pytest.raises(SpeechToTextError) as error:
            await turn.words()
        assert error.value.retryable
        assert time.monotonic() - began < 1.5
        await turn.close()


async def test_a_provider_that_is_not_there(kind: str) -> None:
    async with asking(kind, f"http://127.0.0.1:{free_port()}", deadline_s=3.0) as made:
        turn = made.open(language="en", call_id="call-1")
        await feed(turn, 500)
        with pytest.raises(SpeechToTextError) as error:
            await turn.words()
        assert error.value.retryable
        await turn.close()
        with pytest.raises(SpeechToTextError):
            await made.ping()


def test_opening_does_no_io(kind: str) -> None:
    adapter(kind, "http://127.0.0.1:1").open(language="en", call_id="call-1")


# The fake, which is held to the same


async def test_the_fake_answers_by_its_script() -> None:
    fake = FakeSpeechToText("I want", "I want a refund.", SpeechToTextError("stt", "away", retryable=True), "Yes.")
    turn = fake.open(language="en", call_id="call-1")
    assert await turn.words() == ""
    turn.feed(voice(100))
    assert [await turn.words(), await turn.words()] == ["I want", "I want"]
    turn.cut()
    assert await turn.words() == "I want"
    turn.feed(voice(40))
    assert await turn.words() == "I want a refund."
    turn.feed(voice(20))
    with pytest.raises(SpeechToTextError):
        await turn.words()
    with pytest.raises(AssertionError, match="never transcribed"):
        fake.assert_complete()
    assert await turn.words() == "Yes."
    await turn.close()
    fake.assert_complete()
    assert fake.heard == [voice(100), voice(40), voice(40) + voice(20), voice(40) + voice(20)]
    assert (fake.languages, fake.cuts, fake.opened, fake.closed) == (["en"], 1, 1, 1)


async def test_the_fake_takes_its_time_and_can_be_left() -> None:
    fake = FakeSpeechToText("One", "One, two.", delay_ms=60_000, clock=FakeClock())
    turn = fake.open(language="en", call_id="call-1")
    turn.feed(voice(100))
    asking_words = asyncio.create_task(turn.words())
    await asyncio.sleep(0)
    asking_words.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking_words
    assert fake.cancelled == 1
    fake.delay_ms = 0
    turn.feed(voice(100))
    assert await turn.words() == "One, two."
