"""A line whose socket is away for a moment while the next answer's speaking begins."""

from __future__ import annotations

import asyncio

from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.shared.use_cases.speaking.line import answer, ended, played, sound, speaker


async def test_a_turn_that_begins_while_the_socket_is_away(house: House, tts: FakeTextToSpeech) -> None:
    await house.live_calls.detach(CALL_ID, connection_id="connection-1")
    speaking = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(500)
    live = await house.live_calls.get(CALL_ID)
    assert live is not None
    await house.attach_media._attach(live, "clients", "connection-2", "")
    await answer(house, 1, "Hello again.")
    assert await speaking == "completed"
    assert played(house) == sound(tts, "Hello again.")
    assert await ended(house, 1) == ("Hello again.", "completed")


async def test_a_call_that_ends_while_its_socket_is_away(house: House, tts: FakeTextToSpeech) -> None:
    await house.live_calls.detach(CALL_ID, connection_id="connection-1")
    speaking = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(500)
    await house.end_call.note(CALL_ID, "caller_hung_up")  # type: ignore[arg-type]
    assert await speaking == "unheard"
