from __future__ import annotations

from typing import Any

from local_stack.phones.account_of_call import AccountOfCall, judge, parts_of_wait, telling_costs
from local_stack.phones.app_api import AppCall, AppTurn
from local_stack.phones.events import CallEvent


def app_turn(number: int, heard: str = "", said: str = "", **moments: float) -> AppTurn:
    return AppTurn(number, heard, said, "completed", moments)


def account(*app_turns: AppTurn) -> AccountOfCall:
    """Two turns on the line: the caller speaks from 1000 to 2000 and from 5000 to 6000."""
    made = AccountOfCall()
    for name, at_ms, facts in (
        ("call_started", 0, {}),
        ("call_answered", 100, {}),
        ("agent_started", 400, {"turn": 0}),
        ("caller_started", 1000, {"turn": 1, "label": "a.wav", "text": "One?"}),
        ("caller_stopped", 2000, {"turn": 1}),
        ("agent_started", 2700, {"turn": 1}),
        ("caller_started", 5000, {"turn": 2, "label": "b.wav", "text": None}),
        ("caller_stopped", 6000, {"turn": 2}),
    ):
        made.take(CallEvent(name, at_ms, facts))
    made.app_call = AppCall("c", "completed", "", app_turns)
    return made


def result(**changes: Any) -> dict[str, Any]:
    turns = [{"number": n, "speech_ended_ms": n, "first_heard_ms": n, "response_ms": 100.0 * n} for n in range(3)]
    base: dict[str, Any] = {"turns": turns, "errors": [], "media_opened": True, "status": "completed"}
    return {**base, "end_reason": "the caller hung up", **changes}


def test_the_apps_turns_are_matched_by_time_and_not_by_number() -> None:
    split = account(
        app_turn(0, said="Hello"),
        app_turn(1, "on", speech_started_ms=950),
        app_turn(2, "one", speech_ended_ms=4900),
        app_turn(3, "two", transcript_ms=6300),
    )
    assert split.heard_words(1) == "on one"
    assert split.heard_words(2) == "two"
    assert split.heard_words(3) == ""


def test_an_app_may_date_the_start_of_speech_a_little_before_the_caller() -> None:
    assert account(app_turn(1, "two", speech_started_ms=4600)).heard_words(2) == "two"


def test_a_turn_without_moments_is_matched_by_its_number() -> None:
    assert account(app_turn(2, "two")).heard_words(2) == "two"


def test_times_count_from_the_callers_last_word() -> None:
    moments = {"transcript_ms": 2310.0, "first_token_ms": 2500.0, "first_audio_byte_ms": 2650.0}
    turn = app_turn(1, "one", speech_started_ms=1000, **moments)
    assert account(turn).times_ms(turn) == [
        ("transcript", 310),
        ("first token", 500),
        ("first audio byte", 650),
        ("first frame heard", 700),
    ]


def test_times_of_the_greeting_count_from_the_answer() -> None:
    turn = app_turn(0, said="Hello", first_audio_byte_ms=350, transcript_ms=1)
    assert account(turn).times_ms(turn) == [("first audio byte", 250), ("first frame heard", 300)]


def test_every_stage_that_was_waited_for_is_named() -> None:
    stages = ("decision", "transcript", "first_token", "first_sentence", "first_audio_byte", "first_frame_sent")
    waited = dict(zip(stages, (500.0, 150.0, 200.0, 220.0, 100.0, 4.4), strict=True))
    turn = AppTurn(1, "one", "", "completed", {}, waited)
    assert parts_of_wait(turn) == (
        "speech ended +500 turn over +150 transcript +200 first token +220 first sentence +100 first audio byte"
        " +4 first frame"
    )
    assert parts_of_wait(app_turn(0)) == telling_costs(app_turn(0)) == ""


def test_costs_are_told_only_where_they_tell_something() -> None:
    usual = AppTurn(1, "one", "", "completed", {}, costs={"takes": 1.0, "tokens": 70.0, "fillers": 0.0})
    assert telling_costs(usual) == ""
    unusual = AppTurn(1, "one", "", "completed", {}, costs={"takes_withdrawn": 1.0, "fillers": 2.0})
    assert telling_costs(unusual) == "1 prepared answer thrown away, 2 fillers"


HEARD = (app_turn(1, "one", speech_started_ms=1000), app_turn(2, "two", speech_started_ms=5000))


def test_a_good_call_passes_with_the_time_of_its_replies() -> None:
    verdict = judge(account(*HEARD), result(), 2, "")
    assert verdict.passed
    assert verdict.line.startswith("answered, heard 2 of 2, replied to 2 of 2; reply heard 150 ms")


def test_every_way_to_fail_has_its_reason() -> None:
    unanswered = result(media_opened=False, end_reason="the app rejected the call: busy")
    assert judge(account(), unanswered, 2, "").line == "not answered: the app rejected the call: busy"
    short = judge(account(*HEARD), result(end_reason="the app hung up"), 3, "")
    assert short.line == "the call ended after 2 of 3 utterances: the app hung up"
    turns = result()["turns"]
    turns[2]["first_heard_ms"] = None
    assert judge(account(*HEARD), result(turns=turns), 2, "").line == "no reply to utterance 2"
    assert judge(account(*HEARD[:1]), result(), 2, "").line == "not understood: no transcript of utterance 2"
    silent = AccountOfCall()
    assert judge(silent, result(), 2, "answered 401").line.endswith("is not known: answered 401")
    for failed in (short, judge(silent, result(), 2, "")):
        assert not failed.passed
