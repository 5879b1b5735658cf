"""A silence that lasted too long is broken by prepared sound, whoever should have answered."""

from __future__ import annotations

import pytest

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError
from shared.domain.fillers import apology_of
from shared.domain.ledger import Moment
from shared.use_cases.providers.prepared_sounds import PreparedSound
from shared.use_cases.speaking.rescue import Rescue
from tests.fakes.call import CALL_ID, NORA, House, turn_request, voice

APOLOGY = PreparedSound(apology_of(NORA), voice(1000))


class Prepared:
    """Stands in for `PreparedSounds`."""

    async def apology(self, agent: object) -> PreparedSound:
        return APOLOGY


@pytest.fixture
async def house() -> House:
    house = House()
    await house.connect()
    return house


def rescuing(house: House) -> Rescue:
    prepared = Prepared()
    return Rescue(house.pipes, house.live_calls, house.directory, house.channels, prepared, house.clock)  # type: ignore[arg-type]


async def test_the_caller_is_told(house: House) -> None:
    assert await rescuing(house)(turn_request(1)) == "failed"
    assert b"".join(piece.pcm for piece in house.channel.played) == APOLOGY.pcm
    assert [entry["event"] for entry in await house.pipe(1, pipe_names.CONTROL)] == ["stop"]
    (spoken,) = await house.pipe(1, pipe_names.SPOKEN)
    assert (spoken["said"], spoken["outcome"]) == (APOLOGY.text, "failed")
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert (journal["said"], journal["outcome"]) == (APOLOGY.text, "failed")
    assert "rescued_ms" in journal
    await house.channel.finish()


async def test_long_sound_goes_out_in_pieces(house: House) -> None:
    await rescuing(house)(turn_request(1))
    assert {len(piece.pcm) // BYTES_PER_MS for piece in house.channel.played} == {400, 200}
    await house.channel.finish()


async def test_run_again_it_says_nothing_more(house: House) -> None:
    await rescuing(house)(turn_request(1))
    played = len(house.channel.played)
    assert await rescuing(house)(turn_request(1)) == "failed"
    assert len(house.channel.played) == played
    await house.channel.finish()


async def test_an_answer_that_came_at_last_is_enough(house: House) -> None:
    await house.live_calls.note(CALL_ID, 1, {"outcome": "completed", "said": "Yes."})
    assert await rescuing(house)(turn_request(1)) == "completed"
    assert not house.channel.played


async def test_an_answer_that_sounds_is_enough(house: House) -> None:
    """Who watches may not have learned of it."""
    await house.live_calls.note(CALL_ID, 1, {Moment.FIRST_FRAME_SENT: house.clock.now_ms()})
    assert await rescuing(house)(turn_request(1)) == "running"
    assert not house.channel.messages
    assert not await house.pipe(1, pipe_names.CONTROL)


async def test_the_callers_silence_counts_from_its_end(house: House) -> None:
    await rescuing(house)(turn_request(1))
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert float(journal[Moment.PLAYBACK_ENDED]) == pytest.approx(house.clock.now_ms() + 1000, abs=5)
    await house.channel.finish()


@pytest.mark.parametrize("gone", [True, False])
async def test_nobody_is_there_to_be_told(house: House, gone: bool) -> None:
    if gone:
        house.channel.errors = [MediaError("connection_gone", "gone")]
    else:
        await house.live_calls.end(CALL_ID, "caller_hung_up")
    assert await rescuing(house)(turn_request(1)) == "unheard"
    assert "outcome" not in await house.live_calls.journal(CALL_ID, 1)
