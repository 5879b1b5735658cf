"""What remains of a call: complete, once, and whatever crashes in between."""

from __future__ import annotations

import asyncio
import io
import wave
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from shared.domain import pipe_names
from shared.domain.call import CallState, EndReason, Turn, TurnOutcome
from shared.domain.errors import NotFound
from shared.domain.knowledge.citations import CITATIONS, Citation, citations_text
from shared.domain.ledger import Cost
from shared.domain.steps import TurnRequest, WrapUpRequest
from shared.use_cases.calls.keep_records import KeepRecords, turn_of
from shared.use_cases.calls.sound_pieces import SoundPieces
from tests.fakes.call import CALL_ID, TENANT_ID, House, turn_request

BLOB = f"recordings/{TENANT_ID}/{CALL_ID}.wav"


def voice(duration_ms: int, level: int) -> bytes:
    """A level that tells where the piece is in the recording."""
    return np.full(duration_ms * 16, level, dtype="<i2").tobytes()


@pytest.fixture
async def house() -> House:
    """A call with a greeting and two turns, the last of which brought its end."""
    house = House()
    await house.connect()
    await house.live_calls.note(CALL_ID, 0, {"said": "Hello.", "outcome": "completed", "first_frame_sent_ms": 5.0})
    await house.live_calls.note(CALL_ID, 1, {"heard": "Hi?", "said": "Let me", "outcome": "interrupted"})
    await house.live_calls.note(CALL_ID, 2, {"heard": "Bye.", "said": "", "outcome": "unheard"})
    for turn in (0, 1, 2):
        await house.say(turn)
        await house.write(turn, pipe_names.SPOKEN, {"event": "end", "said": ""}, pipe_names.END_POSITION)
        await house.write(turn, pipe_names.LISTENED, {"event": "end"}, pipe_names.END_POSITION)
    pieces = SoundPieces(house.files)
    await pieces.keep(turn_request(0), "agent", 200, voice(300, -100))
    await pieces.keep(turn_request(1), "caller", 0, voice(1000, 100))
    await pieces.keep(turn_request(2), "caller", 1000, voice(500, 200))
    await pieces.keep(turn_request(1), "agent", 1200, voice(600, -200))
    return house


def keeping(house: House) -> KeepRecords:
    return KeepRecords(
        call_store=house.call_store,
        live_calls=house.live_calls,
        pipes=house.pipes,
        files=house.files,
        channels=house.channels,
        meter=house.meter,
        clock=house.clock,
    )


async def wrapped_up(keep: KeepRecords, ended: WrapUpRequest) -> None:
    """As the orchestration does it."""
    await keep.of_call(ended)
    await keep.close(ended)


async def test_a_call_is_remembered_before_it_is_forgotten(house: House) -> None:
    seen: list[tuple[str, str, bool]] = []

    async def remember(tenant_id: str, call_id: str) -> None:
        seen.append((tenant_id, call_id, await house.live_calls.get(call_id) is not None))

    await wrapped_up(replace(keeping(house), remember=remember), request())
    assert seen == [(TENANT_ID, CALL_ID, True)]
    assert await house.live_calls.get(CALL_ID) is None


def request(reason: str = "caller_hung_up", last_turn: int = 2) -> WrapUpRequest:
    return WrapUpRequest(TENANT_ID, CALL_ID, last_turn, reason)


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        ({}, None),
        ({"outcome": "unheard", "said": ""}, None),
        ({"heard": "", "said": ""}, None),
        ({"heard": "Hi."}, Turn(1, "Hi.", "", TurnOutcome.RUNNING)),
        ({"said": "Hello.", "outcome": "completed"}, Turn(1, None, "Hello.", TurnOutcome.COMPLETED)),
        ({"heard": "Hi.", "saying": "Let me"}, Turn(1, "Hi.", "Let me", TurnOutcome.RUNNING)),
        ({"heard": "Hi.", "saying": "Let me see", "said": "Let"}, Turn(1, "Hi.", "Let", TurnOutcome.RUNNING)),
        (
            {"heard": "Hi.", "speech_ended_ms": "5.5", "outcome": "failed"},
            Turn(1, "Hi.", "", TurnOutcome.FAILED, {"speech_ended_ms": 5.5}),
        ),
    ],
)
def test_a_journal_becomes_a_turn(journal: dict[str, str], expected: Turn | None) -> None:
    assert turn_of(1, journal) == expected


async def test_a_turn_is_recorded_while_the_call_runs(house: House) -> None:
    await keeping(house).of_turn(turn_request(1))
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert [turn.number for turn in call.turns] == [1]


async def test_who_watches_sees_what_a_turn_took(house: House) -> None:
    moments = {"speech_ended_ms": 1000.0, "turn_ended_ms": 1500.0, "first_frame_sent_ms": 1510.0}
    await house.live_calls.note(CALL_ID, 1, moments)
    await house.live_calls.count(CALL_ID, 1, {Cost.TAKES: 2})
    await keeping(house).of_turn(turn_request(1))
    ((turn, *of_whom),) = house.meter.recorded
    assert (turn.number, turn.costs, of_whom) == (1, {"takes": 2.0}, ["web", TENANT_ID, "nora"])
    (shown,) = house.channel.shown
    assert isinstance(shown, dict)
    assert (shown["type"], shown["turn"], shown["costs"]) == ("turn", 1, {"takes": 2.0})
    assert shown["latency"]["total_ms"] == 510.0


async def test_with_the_first_turn_the_greeting_is_recorded(house: House) -> None:
    await keeping(house).of_turn(TurnRequest(TENANT_ID, CALL_ID, 1, greet=True))
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert [turn.said for turn in call.turns] == ["Hello.", "Let me"]


async def test_on_what_an_answer_rests_is_recorded(house: House) -> None:
    page = Citation("shop", "d1", "p1", "Handbook", "page 3", 0.9)
    await house.live_calls.note(CALL_ID, 1, {CITATIONS: citations_text([page])})
    await keeping(house).of_turn(turn_request(1))
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert [turn.citations for turn in call.turns] == [(page,)]


async def test_a_turn_in_which_nobody_spoke_is_not_recorded(house: House) -> None:
    await keeping(house).of_turn(turn_request(3))
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert call.turns == ()


async def kept(house: House) -> None:
    """Everything is there, and nothing is left of the running call."""
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.CALLER_HUNG_UP)
    assert call.ended_at is not None
    assert [(turn.number, turn.heard, turn.said) for turn in call.turns] == [
        (0, None, "Hello."),
        (1, "Hi?", "Let me"),
        (2, "Bye.", ""),
    ]
    assert house.call_store.transcripts[CALL_ID] == "agent: Hello.\ncaller: Hi?\nagent: Let me\ncaller: Bye."
    assert call.recording is not None
    assert (call.recording.container, call.recording.blob, call.recording.duration_ms) == ("fake", BLOB, 1800)
    assert list(house.files.kept) == [BLOB]
    assert house.files.content_types[BLOB] == "audio/wav"
    with wave.open(io.BytesIO(house.files.kept[BLOB])) as wav:
        track = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").reshape(-1, 2)
    assert [int(track[ms * 16, 0]) for ms in (0, 999, 1000, 1499, 1500)] == [100, 100, 200, 200, 0]
    assert [int(track[ms * 16, 1]) for ms in (0, 200, 499, 500, 1200, 1799)] == [0, -100, -100, 0, -200, -200]
    assert await house.live_calls.get(CALL_ID) is None
    assert house.pipes.names == set()


async def test_a_call_is_kept_and_forgotten(house: House) -> None:
    keep = keeping(house)
    await keep.of_turn(TurnRequest(TENANT_ID, CALL_ID, 1, greet=True))
    await wrapped_up(keep, request())
    await kept(house)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("caller_hung_up", CallState.COMPLETED),
        ("operator_hung_up", CallState.COMPLETED),
        ("silent", CallState.COMPLETED),
        ("too_long", CallState.COMPLETED),
        ("error", CallState.FAILED),
        ("no_media", CallState.FAILED),
        ("transferred", CallState.COMPLETED),
        ("failed", CallState.FAILED),
        ("busy", CallState.BUSY),
    ],
)
async def test_how_a_call_ended(house: House, reason: str, state: CallState) -> None:
    await wrapped_up(keeping(house), request(reason))
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert (call.state, call.end_reason) == (state, reason)


async def test_a_step_that_breaks_down_when_the_line_is_gone_is_not_why_it_ended(house: House) -> None:
    await house.live_calls.end(CALL_ID, EndReason.TRANSFERRED)
    await wrapped_up(keeping(house), request("error"))
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.TRANSFERRED)


async def test_it_waits_for_the_answer_that_is_just_ending() -> None:
    house = House()
    await house.connect()
    await house.say(0)
    task = asyncio.create_task(wrapped_up(keeping(house), request(last_turn=1)))
    await house.clock.sleep_ms(2_000)
    assert not task.done()
    await house.live_calls.note(CALL_ID, 0, {"said": "Hello.", "outcome": "interrupted"})
    await house.write(0, pipe_names.SPOKEN, {"said": "Hello."}, "1-0")
    await task
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert [turn.said for turn in call.turns] == ["Hello."]


async def test_but_not_for_ever() -> None:
    house = House()
    await house.connect()
    began_ms = house.clock.now_ms()
    await wrapped_up(keeping(house), request(last_turn=1))
    assert house.clock.now_ms() - began_ms <= 61_000


async def test_a_call_without_a_sound_has_no_recording() -> None:
    house = House()
    await house.connect()
    await wrapped_up(keeping(house), request("no_media", last_turn=1))
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert (call.recording, call.state) == (None, CallState.FAILED)
    assert house.files.kept == {}


class Died(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(12))
async def test_dying_at_any_point(house: House, at: int, after: bool) -> None:
    keep = keeping(house)
    await keep.of_turn(TurnRequest(TENANT_ID, CALL_ID, 1, greet=True))
    honest = {}
    done = 0

    def mortal(owner: object, name: str) -> None:
        whole = honest[(owner, name)] = getattr(owner, name)

        async def operation(*arguments: object, **options: object) -> object:
            nonlocal done
            done += 1
            if done > at and not after:
                raise Died
            result = await whole(*arguments, **options)
            if done > at:
                raise Died
            return result

        setattr(owner, name, operation)

    for name in ("save_turn", "save_recording", "save_transcript", "advance"):
        mortal(house.call_store, name)
    mortal(house.files, "put")
    mortal(house.files, "delete")
    mortal(house.live_calls, "close")
    with pytest.raises(Died) if at < 9 else nullcontext():
        await wrapped_up(keep, request())
    for (owner, name), whole in honest.items():
        setattr(owner, name, whole)
    await house.clock.sleep_ms(2_000)
    await wrapped_up(keep, request())
    await kept(house)


async def test_what_comes_after_the_recording_does_not_cost_it(house: House) -> None:
    keep = keeping(house)
    await keep.of_turn(TurnRequest(TENANT_ID, CALL_ID, 1, greet=True))
    await keep.of_call(request())
    await SoundPieces(house.files).keep(turn_request(2), "agent", 1300, voice(100, 5))
    await wrapped_up(keep, request())
    await kept(house)


async def test_sound_of_which_nothing_is_whole_makes_no_recording(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    (name,) = house.files.kept
    house.files.kept[name] = b"damaged" + house.files.kept[name][:50]
    await wrapped_up(keeping(house), request())
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert (call.recording, list(house.files.kept)) == (None, [name])
    assert "57 bytes of its sound are damaged" in caplog.text


async def test_a_call_that_was_never_recorded(house: House) -> None:
    with pytest.raises(NotFound):
        await wrapped_up(keeping(house), WrapUpRequest("tenant-2", CALL_ID, 2, "silent"))
