"""The wait for an answer is divided among its stages without remainder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.latency import Stage, interruption_ms, latency_of
from shared.domain.ledger import Moment

ZERO_MS = 1_795_348_800_123.4567


def moments(**after_ms: float) -> dict[str, float]:
    return {f"{name}_ms": ZERO_MS + ms for name, ms in after_ms.items()}


def test_without_speculation_every_stage_has_what_it_took() -> None:
    latency = latency_of(
        moments(
            speech_started=-2000,
            speech_ended=0,
            turn_ended=500,
            transcript=650,
            first_token=850,
            first_sentence=1070,
            first_audio_byte=1170,
            first_frame_sent=1174,
            playback_ended=4000,
        )
    )
    assert latency is not None
    assert latency.to_json() == {
        "total_ms": 1174.0,
        "parts_ms": {
            "decision": 500.0,
            "transcript": 150.0,
            "first_token": 200.0,
            "first_sentence": 220.0,
            "first_audio_byte": 100.0,
            "first_frame_sent": 4.0,
        },
        "prepared_ms": {},
        "speculation": False,
    }
    assert list(latency.parts_ms) == list(Stage)


def test_what_was_prepared_before_the_decision_costs_nothing_after_it() -> None:
    latency = latency_of(
        moments(
            speech_ended=0,
            turn_ended=540,
            transcript=210,
            first_token=410,
            first_sentence=500,
            first_audio_byte=538,
            first_frame_sent=543,
        )
    )
    assert latency is not None
    assert list(latency.parts_ms.values()) == [540, 0, 0, 0, 0, 3]
    assert latency.prepared_ms == {
        Stage.TRANSCRIPT: 330,
        Stage.FIRST_TOKEN: 130,
        Stage.FIRST_SENTENCE: 40,
        Stage.FIRST_AUDIO_BYTE: 2,
    }
    assert latency.speculation


def test_a_stage_that_was_half_prepared_has_the_rest() -> None:
    latency = latency_of(
        moments(
            speech_ended=0,
            turn_ended=300,
            transcript=210,
            first_token=410,
            first_sentence=500,
            first_audio_byte=600,
            first_frame_sent=605,
        )
    )
    assert latency is not None
    assert list(latency.parts_ms.values()) == [300, 0, 110, 90, 100, 5]
    assert not latency.speculation


def test_words_that_came_after_a_token_of_an_earlier_transcript_are_not_counted_twice() -> None:
    latency = latency_of(
        moments(speech_ended=0, turn_ended=100, transcript=400, first_token=300, first_frame_sent=500)
    )
    assert latency is not None
    assert latency.parts_ms == {
        Stage.DECISION: 100,
        Stage.TRANSCRIPT: 300,
        Stage.FIRST_TOKEN: 0,
        Stage.FIRST_FRAME_SENT: 100,
    }


def test_a_stage_that_is_not_known_leaves_its_time_to_the_next() -> None:
    latency = latency_of(moments(speech_ended=0, transcript=600, first_frame_sent=900))
    assert latency is not None
    assert latency.parts_ms == {Stage.TRANSCRIPT: 600, Stage.FIRST_FRAME_SENT: 300}
    assert latency.prepared_ms == {}
    assert not latency.speculation


@pytest.mark.parametrize(("filler", "told"), [(1500, 1500), (5000, None), (-20, None)])
def test_a_filler_counts_where_it_was_spoken_in_the_wait(filler: float, told: float | None) -> None:
    latency = latency_of(moments(speech_ended=0, turn_ended=500, filler=filler, first_frame_sent=3000))
    assert latency is not None
    assert latency.total_ms == 3000
    assert latency.filler_ms == told
    assert latency.to_json().get("filler_ms") == told


@pytest.mark.parametrize(
    "known",
    [
        moments(),
        moments(first_sentence=1, first_audio_byte=2, first_frame_sent=3),
        moments(speech_ended=0, turn_ended=500, transcript=600),
        moments(speech_ended=0, first_frame_sent=-1),
    ],
    ids=["nothing", "greeting", "not heard", "clocks at odds"],
)
def test_no_wait_no_latency(known: dict[str, float]) -> None:
    assert latency_of(known) is None


@given(
    st.dictionaries(st.sampled_from([moment.value for moment in Moment]), st.floats(-1e4, 1e4)),
    st.floats(0, 1e5),
)
def test_whatever_the_moments_the_parts_are_the_whole(after_ms: dict[str, float], total_ms: float) -> None:
    known = {name: ZERO_MS + ms for name, ms in after_ms.items()}
    known |= {Moment.SPEECH_ENDED.value: ZERO_MS, Moment.FIRST_FRAME_SENT.value: ZERO_MS + total_ms}
    latency = latency_of(known)
    assert latency is not None
    assert latency.total_ms == pytest.approx(total_ms, abs=0.051)
    assert sum(latency.parts_ms.values()) == pytest.approx(latency.total_ms, abs=1e-6)
    assert all(part >= 0 for part in [*latency.parts_ms.values(), *latency.prepared_ms.values()])


def test_an_interruption_lasts_until_the_line_is_cleared() -> None:
    assert interruption_ms(moments(interrupted=0, cleared=97.25)) == 97.2
    assert interruption_ms(moments(interrupted=0)) is None
    assert interruption_ms(moments(cleared=0)) is None
    assert interruption_ms(moments(interrupted=1, cleared=0)) is None
