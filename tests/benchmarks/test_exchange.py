"""One turn, put together from three accounts of it."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.calls.exchange import SERVICES_MS, exchanges, seen_by_caller, services_ms
from local_stack.phones.measures import Interruption, Turn

CLAUSE = "Sure4,"
SENTENCE = "I have just now found the order with number 4 for you."


def _turn(**changes: Any) -> Turn:
    values = {
        "number": 1,
        "speech_started_ms": 1000.0,
        "speech_ended_ms": 3000.0,
        "first_received_ms": 4240.0,
        "first_heard_ms": 4250.0,
    }
    return Turn(**{**values, **changes})


def _record(*tags: int, over_ms: float = 3540.0, said: str = SENTENCE, **costs: float) -> dict[str, Any]:
    turns = [
        {"heard": f"order number {tag} please", "said": said, "moments": {"turn_ended_ms": over_ms}, "costs": costs}
        for tag in tags
    ]
    return {"turns": [{"heard": None, "said": "Hello.", "moments": {}}, *turns]}


def _services(tag: int, stt_ms: float = 3545.0, text: str = SENTENCE) -> list[dict[str, Any]]:
    llm_ms = stt_ms + 150 + 10
    tts_ms = llm_ms + 200 + (len(text.split()) - 1) * 20 + 5
    return [
        _entry("stt", tag, stt_ms, stt_ms + 150),
        _entry("llm", tag, llm_ms, llm_ms + 200),
        _entry("tts", tag, tts_ms, tts_ms + 100, text),
        _entry("tts", tag, tts_ms + 300, tts_ms + 400, "It was packed this morning."),
    ]


def _entry(kind: str, tag: int | None, at_ms: float, answer_ms: float, text: str = "") -> dict[str, Any]:
    return {
        "kind": kind, "tag": tag, "received_ms": at_ms - 1, "complete_ms": at_ms, "aborted_ms": None,
        "first_byte_ms": answer_ms, "done_ms": answer_ms, "details": {"text": text},
    }  # fmt: skip


def test_the_parts_add_up_to_the_whole() -> None:
    (found,) = exchanges([Turn(0), _turn()], _record(4), _services(4))
    assert (found.at_wire, found.heard) == (1240, 1250)
    assert found.parts == pytest.approx(
        {"decision": 540, "to_stt": 545, "to_llm": 10, "to_tts": 5, "commit": 0, "to_caller": 10, "services": 0}
    )
    assert sum(part or 0 for name, part in found.parts.items() if name != "decision") + SERVICES_MS == 1240
    assert found.pipeline == pytest.approx(30)
    assert found.handing_on == pytest.approx(25)


def test_with_speculation_the_sound_waits_for_the_end_of_the_turn() -> None:
    services = _services(4, stt_ms=3080, text=CLAUSE)
    (found,) = exchanges([_turn(first_received_ms=3560.0)], _record(4, said=f"{CLAUSE} {SENTENCE}"), services)
    assert not found.is_split
    assert found.first_tokens == 1
    assert (found.parts["to_stt"], found.parts["commit"], found.parts["to_caller"]) == pytest.approx((80, -0, 15))
    assert sum(part or 0 for name, part in found.parts.items() if name != "decision") + services_ms(1) == 560


@pytest.mark.parametrize(("over_ms", "beyond"), [(3540.0, 30), (3600.0, 25), (3695.0, 25)])
def test_words_that_were_asked_for_early_do_not_make_the_pipeline_look_quick(over_ms: float, beyond: float) -> None:
    (found,) = exchanges([_turn()], _record(4, over_ms=over_ms), _services(4))
    assert found.pipeline == pytest.approx(beyond)


def test_of_several_takes_the_one_that_was_heard_counts() -> None:
    given_up = [{**each, "aborted_ms": each["complete_ms"] + 50} for each in _services(3, stt_ms=2000)]
    (found,) = exchanges([_turn()], _record(4, takes=2, takes_withdrawn=1), [*given_up, *_services(4)])
    assert not found.is_split
    assert found.parts["to_stt"] == pytest.approx(545)
    assert found.costs == {"takes": 2, "takes_withdrawn": 1}


def test_a_beginning_that_was_kept_needs_no_request() -> None:
    said = f"Sure, {SENTENCE}"
    services = [each for each in _services(4) if each["kind"] != "tts"]
    (found,) = exchanges([_turn()], _record(4, said=said), [*services, _entry("tts", 4, 4150, 4250, SENTENCE)])
    assert found.first_tokens is None
    assert found.parts["to_tts"] is None
    assert found.parts["decision"] == pytest.approx(540)


def test_requests_of_other_calls_are_not_taken_for_ours() -> None:
    others = [*_services(7), _entry("tts", None, 3600, 3700, "Hello there.")]
    (found,) = exchanges([_turn()], _record(4), [*others, *_services(4)])
    assert not found.is_split
    assert found.parts["to_stt"] == pytest.approx(545)


def test_a_turn_that_was_ended_while_the_caller_spoke_is_split() -> None:
    early = exchanges([_turn()], _record(4, over_ms=2500), _services(4, stt_ms=2500))
    twice = exchanges([_turn()], _record(4, 5), [*_services(4, stt_ms=2000), *_services(5)])
    assert [found.is_split for found in (*early, *twice)] == [True, True]


def test_a_turn_without_an_answer_has_no_times() -> None:
    (found,) = exchanges([_turn(first_received_ms=None, first_heard_ms=None)], _record(), [])
    assert found.at_wire is None
    assert found.pipeline is None


def test_of_a_stranger_only_the_line_is_known() -> None:
    stopped = Interruption(4900.0, clear_received_ms=5000.0, stopped_ms=5000.0)
    (found,) = seen_by_caller([Turn(0), _turn(interruption=stopped)])
    assert (found.at_wire, found.interruption_stop, found.parts) == (1240, 100, {})
