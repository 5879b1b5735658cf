"""The caller's words are had as long as one provider understands them, each sound heard once by each."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from shared.domain.audibility import audible_ms
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import SpeechToTextError
from shared.ports.speech_to_text import Transcription
from shared.use_cases.providers.failover_speech_to_text import FailoverSpeechToText
from shared.use_cases.providers.provider_health import ProviderHealth
from tests.fakes.circuit_breakers import FakeCircuitBreakers
from tests.fakes.clock import FakeClock
from tests.fakes.models import FakeSpeechToText

BROKEN = SpeechToTextError("broken", "it broke", retryable=True)
SILENCE = bytes(20 * BYTES_PER_MS)


def speech(number: int) -> list[bytes]:
    """Half a second of it in frames."""
    return [np.full(20 * BYTES_PER_MS // 2, 1_000 + number, dtype="<i2").tobytes()] * 25


class Both:
    """Two providers and what their breakers were told."""

    def __init__(self, first: FakeSpeechToText, second: FakeSpeechToText) -> None:
        self.first, self.second = first, second
        self.breakers = FakeCircuitBreakers()
        self.hearing = FailoverSpeechToText({"a": first, "b": second}, ProviderHealth(self.breakers))

    def open(self, late_after_ms: int = 0) -> Transcription:
        return self.hearing.open(language="en", call_id="c", late_after_ms=late_after_ms)


def both(
    *first: str | SpeechToTextError, then: tuple[str | SpeechToTextError, ...] = (), delay_ms: float = 0
) -> Both:
    clock = FakeClock()
    return Both(FakeSpeechToText(*first, delay_ms=delay_ms, clock=clock), FakeSpeechToText(*then, clock=clock))


def feed(transcription: Transcription, *frames: bytes) -> None:
    for frame in frames:
        transcription.feed(frame)


async def test_one_is_enough_and_the_second_is_never_opened() -> None:
    pair = both("One.", "One two.")
    hearing = pair.open(late_after_ms=500)
    feed(hearing, *speech(1))
    assert await hearing.words() == "One."
    hearing.cut()
    feed(hearing, *speech(2))
    assert await hearing.words() == "One two."
    await hearing.close()
    assert (pair.first.heard, pair.second.opened) == ([b"".join(speech(1)), b"".join(speech(2))], 0)
    assert pair.first.closed == 1


async def test_a_late_one_is_raced() -> None:
    pair = both("Never.", then=("One.",), delay_ms=9_000)
    hearing = pair.open(late_after_ms=500)
    feed(hearing, *speech(1))
    assert await hearing.words() == "One."
    assert asyncio.get_running_loop().time() == pytest.approx(0.5)
    assert (pair.second.heard, pair.first.cancelled) == ([b"".join(speech(1))], 1)


async def test_a_failure_is_replaced_and_the_sound_handed_over_once() -> None:
    pair = both(BROKEN, BROKEN, then=("One.", "One two."))
    hearing = pair.open()
    feed(hearing, *speech(1))
    assert await hearing.words() == "One."
    feed(hearing, *speech(2))
    assert await hearing.words() == "One two."
    assert pair.second.opened == 1
    assert pair.second.heard[1] == b"".join(speech(1) + speech(2))


async def test_nothing_heard_in_speech_is_not_believed() -> None:
    pair = both("", then=("One.",))
    hearing = pair.open()
    feed(hearing, *speech(1))
    assert await hearing.words() == "One."
    await asyncio.sleep(0)
    assert sorted(pair.breakers.noted) == [("a", False), ("b", True)]


async def test_where_nobody_hears_a_word_there_is_none() -> None:
    pair = both("", then=("",))
    hearing = pair.open()
    feed(hearing, *speech(1))
    assert await hearing.words() == ""
    await asyncio.sleep(0)
    assert sorted(pair.breakers.noted) == [("a", True), ("b", True)]


@pytest.mark.parametrize("frames", [speech(1)[:19], [SILENCE] * 50, speech(1)[:10] + [SILENCE] * 50])
async def test_a_noise_is_not_asked_about_twice(frames: list[bytes]) -> None:
    pair = both("")
    hearing = pair.open()
    feed(hearing, *frames)
    assert await hearing.words() == ""
    assert pair.second.opened == 0


async def test_a_second_opinion_does_not_take_long() -> None:
    pair = both("", then=("Never.",))
    pair.second.delay_ms = 60_000
    hearing = pair.open()
    feed(hearing, *speech(1))
    assert await hearing.words() == ""
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)


async def test_nothing_new_after_a_cut_is_asked_about() -> None:
    pair = both("One.", "One.", then=("Two.",))
    hearing = pair.open()
    feed(hearing, *speech(1))
    await hearing.words()
    hearing.cut()
    feed(hearing, *speech(2))
    assert await hearing.words() == "One. Two."
    assert pair.second.heard == [b"".join(speech(2))]


async def test_what_came_after_the_answer_is_not_cut() -> None:
    pair = both("One.", "One two.")
    hearing = pair.open()
    feed(hearing, *speech(1))
    await hearing.words()
    feed(hearing, *speech(2))
    hearing.cut()
    feed(hearing, *speech(3))
    assert await hearing.words() == "One two."
    assert pair.first.heard[-1] == b"".join(speech(2) + speech(3))


async def test_what_the_second_understood_stands() -> None:
    pair = both(BROKEN, "Two.", then=("One.",))
    hearing = pair.open()
    feed(hearing, *speech(1))
    await hearing.words()
    feed(hearing, *speech(2))
    hearing.cut()
    feed(hearing, *speech(3))
    assert await hearing.words() == "One. Two."
    assert pair.first.heard[-1] == b"".join(speech(2) + speech(3))
    assert pair.first.opened == 2
    await hearing.close()
    assert (pair.first.closed, pair.second.closed) == (2, 1)


async def test_both_fail() -> None:
    pair = both(BROKEN, then=(BROKEN,))
    hearing = pair.open()
    feed(hearing, *speech(1))
    with pytest.raises(SpeechToTextError, match="providers_failed"):
        await hearing.words()


async def test_cancelling_is_harmless() -> None:
    pair = both("One.", "One.", delay_ms=300)
    hearing = pair.open(late_after_ms=500)
    feed(hearing, *speech(1))
    task = asyncio.create_task(hearing.words())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hearing.cut()
    assert await hearing.words() == "One."
    assert pair.first.cancelled == 1


async def test_ready_if_one_is() -> None:
    class Down(FakeSpeechToText):
        async def ping(self) -> None:
            raise BROKEN

    await Both(Down(), FakeSpeechToText()).hearing.ping()
    with pytest.raises(SpeechToTextError, match="broken"):
        await Both(Down(), Down()).hearing.ping()


def test_how_much_can_be_heard() -> None:
    assert audible_ms(b"") == audible_ms(bytes(64_000)) == 0
    assert audible_ms(b"".join(speech(1))) == 500
    assert audible_ms(SILENCE + speech(1)[0][:10] + SILENCE) == 20


async def test_telephone_sound_goes_on_as_it_came_to_who_takes_it() -> None:
    pair = both("One.", "One two.")
    assert not pair.hearing.takes_mulaw
    pair.first.takes_mulaw = True
    assert pair.hearing.takes_mulaw
    hearing = pair.open()
    for number in range(25):
        hearing.feed(speech(1)[0], bytes([number]) * 160)
    assert await hearing.words() == "One."
    hearing.cut()
    hearing.feed(speech(2)[0], b"x" * 160)
    assert await hearing.words() == "One two."
    await hearing.close()
    assert pair.first.mulaw == b"".join(bytes([number]) * 160 for number in range(25)) + b"x" * 160
