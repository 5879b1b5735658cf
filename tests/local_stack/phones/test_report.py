from __future__ import annotations

import io

from local_stack.phones.app_api import AppCall, AppTurn
from local_stack.phones.events import CallEvent
from local_stack.phones.report import CallReport, paint_for

EVENTS = [
    CallEvent("call_started", 1000, {"from": "+1415", "to": "+1555", "call_sid": "CA1"}),
    CallEvent("webhook_answered", 1040, {"kind": "voice", "took_ms": 38.2}),
    CallEvent("call_answered", 1040),
    CallEvent("media_opened", 1050, {"took_ms": 9.7}),
    CallEvent("agent_started", 1340, {"turn": 0, "after_speech_ms": None}),
    CallEvent("agent_stopped", 2340, {"turn": 0, "heard_ms": 1000}),
    CallEvent("caller_started", 3000, {"turn": 1, "label": "a.wav", "text": "What time?", "interrupts": False}),
    CallEvent("caller_stopped", 4000, {"turn": 1}),
    CallEvent("agent_started", 4745, {"turn": 1, "after_speech_ms": 745.0}),
    CallEvent("underrun", 4900, {"turn": 1, "gap_ms": 60.0}),
    CallEvent("caller_started", 6000, {"turn": 2, "label": "b.wav", "text": None, "interrupts": True}),
    CallEvent("agent_interrupted", 6180, {"stop_ms": 180.0, "by_clear": True}),
    CallEvent("caller_stopped", 7000, {"turn": 2}),
    CallEvent("no_reply", 9000, {"turn": 2, "waited_ms": 2000}),
    CallEvent("carrier_error", 9100, {"code": 31951, "message": "unknown event"}),
    CallEvent("call_ended", 9200, {"status": "completed", "reason": "the caller hung up", "duration_s": 9}),
]
GREETING = AppTurn(0, "", "Hello.", "completed", {"first_audio_byte_ms": 1290.0})
MOMENTS = {
    "speech_started_ms": 3010.0,
    "transcript_ms": 4312.0,
    "first_token_ms": 4498.0,
    "first_audio_byte_ms": 4701.0,
}
RUNNING = AppTurn(1, "what time", "It is", "running", MOMENTS)
DONE = AppTurn(
    1,
    "what time",
    "It is noon.",
    "interrupted",
    MOMENTS,
    waited_ms={"decision": 540.0, "transcript": 0.0, "first_token": 0.0, "first_frame_sent": 3.1},
    prepared_ms={"transcript": 330.0, "first_token": 130.2},
    costs={"takes": 3.0, "takes_withdrawn": 2.0, "false_interruptions": 1.0},
)
EXPECTED = """\
   0.00 s  ☎ +1415 calls +1555  (Twilio CA1)
   0.05 s    answered: webhook 38 ms, media socket 10 ms
   0.34 s  agent  ♪ is heard
   1.34 s  agent  ▸ "Hello."
             ms after the answer: first audio byte 250 · first frame heard 300
   2.00 s  caller ♪ speaks: "What time?"
   3.75 s  agent  ♪ is heard 745 ms after the caller's last word
   3.75 s  caller ▸ "what time"   (spoken: "What time?")
   3.90 s    ! a hole of 60 ms in the agent's speech
   5.00 s  caller ♪ speaks: b.wav (interrupts)
   5.18 s    the agent fell silent after 180 ms
   5.18 s  agent  ▸ "It is noon."   (interrupted)
             ms after the caller's last word: transcript 312 · first token 498 · TIMES
             WAITED
             2 prepared answers thrown away, 1 false interruption
   8.00 s    ! no reply within 2000 ms
   8.10 s    ! the carrier reports 31951: unknown event
   8.20 s  ☎ completed: the caller hung up
"""
WAITED = "speech ended +540 turn over +3 first frame; prepared before: transcript −330, first token −130"
EXPECTED = EXPECTED.replace("TIMES", "first audio byte 701 · first frame heard 745").replace("WAITED", WAITED)


def call(*turns: AppTurn, state: str = "in_progress") -> AppCall:
    return AppCall("c1", state, "", turns)


def scripted() -> tuple[CallReport, io.StringIO]:
    out = io.StringIO()
    report = CallReport(out.write, paint_for(out), "Twilio")
    records = {5: [call(GREETING), call(GREETING)], 8: [call(GREETING, RUNNING)], 11: [call(GREETING, DONE)] * 2}
    for at, event in enumerate(EVENTS):
        report.on_event(event)
        for record in records.get(at, []):
            report.on_record(record, event.at_ms)
    return report, out


def test_prints_each_thing_once_as_it_happens() -> None:
    _, out = scripted()
    assert out.getvalue() == EXPECTED


def test_ends_with_the_files_and_the_verdict() -> None:
    report, out = scripted()
    turns = [
        {"number": 0, "speech_ended_ms": None, "first_heard_ms": 1340, "response_ms": None},
        {"number": 1, "speech_ended_ms": 4000, "first_heard_ms": 4745, "response_ms": 745.0},
    ]
    files = {"caller_wav": "/x/caller.wav", "agent_wav": "/x/agent.wav", "transcript": "/x/transcript.txt"}
    result = {"turns": turns, "errors": [], "media_opened": True, "status": "completed", "files": files}
    result["lag_p99_ms"] = 41.3
    verdict = report.finish({**result, "end_reason": "the caller hung up"}, 1)
    assert verdict.passed
    assert out.getvalue().removeprefix(EXPECTED).splitlines() == [
        "           caller  /x/caller.wav",
        "           agent   /x/agent.wav",
        "           words   /x/transcript.txt",
        "           the machine is busy: frames were up to 41 ms late, and so are the times above",
        "✔ answered, heard 1 of 1, replied to 1 of 1; reply heard 745 ms after the caller's last word (median)",
    ]


def test_the_transcript_holds_the_words_and_the_times() -> None:
    report, _ = scripted()
    assert report.transcript.splitlines() == [
        "agent: Hello.",
        "    ms after the answer: first audio byte 250 · first frame heard 300",
        'caller: what time   (spoken: "What time?")',
        "agent: It is noon.   (interrupted)",
        "    ms after the caller's last word: transcript 312 · first token 498 · first audio byte 701"
        " · first frame heard 745",
        f"    {WAITED}",
        "    2 prepared answers thrown away, 1 false interruption",
    ]


def test_what_is_unfinished_when_the_call_is_over_is_printed_then() -> None:
    out = io.StringIO()
    report = CallReport(out.write, paint_for(out), "Twilio")
    report.on_record(call(RUNNING), 1.0)
    assert '"It is"' not in out.getvalue()
    report.on_record(call(RUNNING, state="completed"), 2.0, over=True)
    assert '"It is"   (running)' in out.getvalue()


def test_trouble_with_the_api_is_told_once() -> None:
    out = io.StringIO()
    report = CallReport(out.write, paint_for(out), "Twilio")
    report.on_api_trouble("it answered 401")
    report.on_api_trouble("it answered 401")
    assert out.getvalue().count("401") == 1


def test_colour_is_for_terminals(monkeypatch: object) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert paint_for(io.StringIO())("good", "x") == "x"
    assert "\x1b[" in paint_for(Terminal())("good", "x")
