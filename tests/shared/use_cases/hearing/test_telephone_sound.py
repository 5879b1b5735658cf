"""Sound of a telephone reaches an ear that takes it as it came, byte for byte."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from shared.adapters.twilio.media_codec import TwilioFrameDecoder
from shared.domain.audio import encode_mulaw, samples_of
from shared.domain.turn_tuning import Tuning
from shared.ports.pipes import Entry
from shared.use_cases.hearing.listening import Listening
from tests.fakes.call import House, silence, turn_request, voice
from tests.fakes.models import FakeSpeechToText, FakeVoiceActivityDetector
from tests.shared.use_cases.hearing.caller import Caller, hearing


class Ear:
    """Fills the port `Transcription`."""

    language = ""

    def __init__(self) -> None:
        self.pcm, self.mulaw = b"", b""

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
        self.pcm += pcm
        self.mulaw += mulaw

    async def words(self) -> str:
        return ""

    def cut(self) -> None:
        """All of it is kept."""

    async def close(self) -> None:
        """Nothing is held."""


def listening(ear: Ear, *, takes_mulaw: bool) -> Listening:
    async def is_echo(pcm: bytes, at_ms: float) -> bool:
        return False

    return Listening(
        ear=FakeVoiceActivityDetector().open(),
        decoder=TwilioFrameDecoder(),
        tuning=Tuning(),
        open_transcription=lambda: ear,
        is_echo=is_echo,
        broken_limit=9,
        takes_mulaw=takes_mulaw,
    )


def frames(pcm: bytes) -> list[bytes]:
    """What Twilio sends of it, 20 ms a frame."""
    mulaw = encode_mulaw(samples_of(pcm)[::2].astype(np.int16))
    return [mulaw[begin : begin + 160] for begin in range(0, len(mulaw), 160)]


def media(number: int, mulaw: bytes) -> bytes:
    body = {
        "track": "inbound",
        "chunk": "1",
        "timestamp": str(20 * number),
        "payload": base64.b64encode(mulaw).decode(),
    }
    return json.dumps({"event": "media", "sequenceNumber": "1", "media": body}).encode()


def entry(number: int, mulaw: bytes) -> Entry:
    return Entry(f"{1_000_000 + 20 * number}-0", {b"d": media(number, mulaw)})


@pytest.mark.parametrize("takes_mulaw", [True, False])
async def test_what_came_is_what_is_heard(takes_mulaw: bool) -> None:
    ear, sent = Ear(), frames(silence(600) + voice(800))
    one = listening(ear, takes_mulaw=takes_mulaw)
    for number, mulaw in enumerate(sent):
        await one.take(entry(number, mulaw), overlaps=False)
    assert ear.pcm
    assert bytes(one.pcm).endswith(ear.pcm)
    if takes_mulaw:
        assert len(ear.mulaw) * 4 == len(ear.pcm)
        assert b"".join(sent).endswith(ear.mulaw)
    else:
        assert ear.mulaw == b""


async def test_a_frame_without_sound_makes_no_difference() -> None:
    ear, sent = Ear(), frames(silence(600) + voice(800))
    one = listening(ear, takes_mulaw=True)
    for number, mulaw in enumerate(sent):
        await one.take(entry(number, mulaw), overlaps=False)
        await one.take(Entry(f"{1_000_000 + 20 * number}-1", {b"d": b"}{"}), overlaps=False) if number < 5 else None
    assert b"".join(sent).endswith(ear.mulaw)
    assert len(ear.mulaw) * 4 == len(ear.pcm)


async def test_a_turn_on_a_telephone() -> None:
    house = House()
    await house.connect()
    stt, caller = FakeSpeechToText("Hello there."), Caller(house)
    stt.takes_mulaw = True
    hear = replace(hearing(house, stt), decoder_of=lambda live, from_ms: TwilioFrameDecoder(from_ms))
    sent = frames(silence(500) + voice(1000) + silence(1500))

    async def talk() -> None:
        for number, mulaw in enumerate(sent):
            await house.clock.sleep_ms(20)
            await caller.frame(media(number, mulaw), str(number + 1))

    talking = asyncio.create_task(talk())
    try:
        assert await hear(turn_request(1), house.orchestrations) == ""
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        await house.channel.finish()
    stt.assert_complete()
    assert len(stt.mulaw) >= 8 * 1000
    assert stt.mulaw in b"".join(sent)
