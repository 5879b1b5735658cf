"""Sarvam's realtime socket is fed with a telephone's sound as it came, and with PCM where it came otherwise."""

from __future__ import annotations

import asyncio

from tests.contracts.ears import feed
from tests.contracts.test_speech_to_text_streaming import Provider, echo, speaking_with, until
from tests.fakes.call import voice


async def test_telephone_sound_goes_to_sarvam_as_it_came() -> None:
    provider = Provider(echo("Yes.", "Indeed.", "No."))
    payloads = [bytes([number]) * 160 for number in range(50)]
    async with speaking_with("sarvam", provider) as it:
        for text in ("Yes.", "Indeed."):
            turn = it.open(language="en")
            for payload in payloads:
                turn.feed(bytes(640), payload)
                await asyncio.sleep(0)
            assert await turn.words() == text
            await turn.close()
        wide = it.open(language="en")
        await feed(wide, 300)
        assert await wide.words() == "No."
        await wide.close()
    narrow, other = provider.handshakes
    assert (narrow.query["encoding"], narrow.query["sample_rate"]) == ("mulaw", "8000")
    assert (other.query["encoding"], other.query["sample_rate"]) == ("linear16", "16000")
    assert provider.sound() == b"".join(payloads) * 2 + voice(20) * 15


async def test_where_a_frame_came_otherwise_the_turn_goes_on_as_pcm() -> None:
    provider = Provider(echo("Yes."))
    async with speaking_with("sarvam", provider) as it:
        turn = it.open(language="en")
        for _ in range(10):
            turn.feed(voice(20), bytes(160))
        await until(lambda: len(provider.sound()) == 1600)
        await feed(turn, 300)
        await until(lambda: len(provider.sound()) > 1600)
        assert await turn.words() == "Yes."
        await turn.close()
    assert [handshake.query["encoding"] for handshake in provider.handshakes] == ["mulaw", "linear16"]
    assert provider.sound()[1600:] == voice(20) * 25
