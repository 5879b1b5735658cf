"""One turn, put together from three accounts of it."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.calls.exchange import SERVICES_MS, exchanges
from local_stack.phones.measures import Turn


def _turn(**changes: Any) -> Turn:
    values = {
        "number": 1,
        "speech_started_ms": 1000.0,
        "speech_ended_ms": 3000.0,
        "first_received_ms": 4240.0,
        "first_heard_ms": 4250.0,
    }
    return Turn(**{**values, **changes})


def _record(*tags: int, over_ms: float = 3540.0) -> dict[str, Any]:
    turns = [{"heard": f"order number {tag} please", "moments": {"turn_ended_ms": over_ms}} for tag in tags]
    return {"turns": [{"heard": None, "moments": {}}, *turns]}


def _services(tag: int, stt_ms: float = 3545.0) -> list[dict[str, Any]]:
    llm_ms = stt_ms + 150 + 10
    tts_ms = llm_ms + 420 + 5
    return [
        _entry("stt", tag, stt_ms, stt_ms + 150),
        _entry("llm", tag, llm_ms, llm_ms + 200),
        _entry("tts", tag, tts_ms, tts_ms + 100),
        _entry("tts", tag, tts_ms + 300, tts_ms + 400),
    ]


def _entry(kind: str, tag: int | None, at_ms: float, answer_ms: float) -> dict[str, Any]:
    return {
        "kind": kind, "tag": tag, "received_ms": at_ms - 1, "complete_ms": at_ms,
        "first_byte_ms": answer_ms, "done_ms": answer_ms,
    }  # fmt: skip


def test_the_parts_add_up_to_the_whole() -> None:
    (found,) = exchanges([Turn(0), _turn()], _record(4), _services(4))
    assert found.voice_to_voice == pytest.approx(1250)
    assert found.parts == pytest.approx(
        {"decision": 540, "to_stt": 5, "to_llm": 10, "to_tts": 5, "to_caller": 10, "to_ear": 10, "services": 0}
    )
    assert sum(part or 0 for part in found.parts.values()) + SERVICES_MS == pytest.approx(1250)
    assert found.overhead(500) == pytest.approx(80)
    assert found.pipeline == pytest.approx(40)


def test_requests_of_other_calls_are_not_taken_for_ours() -> None:
    others = [*_services(7), _entry("tts", None, 3600, 3700)]
    (found,) = exchanges([_turn()], _record(4), [*others, *_services(4)])
    assert not found.is_split
    assert found.parts["to_stt"] == pytest.approx(5)


def test_a_turn_that_was_ended_while_the_caller_spoke_is_split() -> None:
    early = exchanges([_turn()], _record(4), _services(4, stt_ms=2500))
    twice = exchanges([_turn()], _record(4, 5), [*_services(4, stt_ms=2000), *_services(5)])
    assert [found.is_split for found in (*early, *twice)] == [True, True]


def test_a_turn_without_an_answer_has_no_times() -> None:
    (found,) = exchanges([_turn(first_received_ms=None, first_heard_ms=None)], _record(), [])
    assert found.voice_to_voice is None
    assert found.overhead(500) is None
    assert found.pipeline is None
