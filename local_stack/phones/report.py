"""Prints a call for a person while it happens: who said what, and how soon the answer came."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

from local_stack.phones.account_of_call import AccountOfCall, Verdict, judge, parts_of_wait, telling_costs
from local_stack.phones.app_api import AppCall, AppTurn
from local_stack.phones.events import CallEvent

_COLOURS: Final = {"dim": "2", "caller": "36", "agent": "32", "good": "1;32", "bad": "1;31"}
_INDENT: Final = " " * 11
_TRUSTED_LAG_MS: Final = 20.0
_TROUBLES: Final = {
    "carrier_error": "the carrier reports {code}: {message}",
    "callback_failed": "a callback failed: {message}",
    "provider_trouble": "{message}",
    "no_greeting": "no greeting within {waited_ms} ms",
    "no_reply": "no reply within {waited_ms} ms",
    "underrun": "a hole of {gap_ms:.0f} ms in the agent's speech",
}

Paint = Callable[[str, str], str]


def paint_for(stream: TextIO) -> Paint:
    """Colours for a terminal, and none anywhere else or where NO_COLOR asks for none."""
    coloured = stream.isatty() and not os.environ.get("NO_COLOR")
    return lambda name, text: f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if coloured else text


class CallReport:
    """Takes events and the app's records as they come; each thing is printed once."""

    def __init__(self, write: Callable[[str], object], paint: Paint, provider: str) -> None:
        self.account = AccountOfCall()
        self._write = write
        self._paint = paint
        self._provider = provider
        self._now_ms = 0.0
        self._heard_shown: set[int] = set()
        self._said_shown: set[int] = set()
        self._trouble = ""
        self._webhook_took_ms: float | None = None
        self._words: list[str] = []

    def on_event(self, event: CallEvent) -> None:
        self.account.take(event)
        self._now_ms = max(self._now_ms, event.at_ms)
        facts = event.facts
        match event.name:
            case "call_started":
                self._line(f"☎ {facts['from']} calls {facts['to']}  ({self._provider} {facts['call_sid']})")
            case "webhook_answered" if facts["kind"] == "voice":
                self._webhook_took_ms = facts["took_ms"]
            case "media_opened":
                webhook = f"webhook {self._webhook_took_ms or 0:.0f} ms, "
                self._line(f"  answered: {webhook}media socket {facts['took_ms']:.0f} ms")
            case "agent_started":
                self._on_agent_started(event)
            case "caller_started":
                words = f'"{facts["text"]}"' if facts["text"] else facts["label"]
                barge = " (interrupts)" if facts["interrupts"] else ""
                self._line(self._paint("caller", "caller ♪ ") + self._paint("dim", f"speaks: {words}{barge}"))
            case "provider_heard":
                self._line(self._paint("dim", f'  the provider heard: "{facts["text"]}"'))
            case "provider_says":
                self._line(self._paint("dim", f'  the provider says: "{facts["text"]}"'))
            case "dialled":
                self._line(f"  the provider calls {facts['to']}  ({facts['call_sid']})")
            case "bridged":
                self._line(f"  the caller speaks with {facts['call_sid']}")
            case "agent_interrupted":
                self._line(self._paint("dim", f"  the agent fell silent after {facts['stop_ms']:.0f} ms"))
            case "call_ended":
                self._line(f"☎ {facts['status']}: {facts['reason']}")
            case name if name in _TROUBLES:
                self._line(self._paint("bad", "  ! " + _TROUBLES[name].format(**facts)))

    def _on_agent_started(self, event: CallEvent) -> None:
        after_ms = event.facts["after_speech_ms"]
        when = "" if after_ms is None else f" {after_ms:.0f} ms after the caller's last word"
        line = self.account.line_turns.get(int(event.facts["turn"]))
        if line is not None and line.understood_ms is not None:
            when += f", {event.at_ms - line.understood_ms:.0f} ms after the words were passed on"
        self._line(self._paint("agent", "agent  ♪ ") + self._paint("dim", f"is heard{when}"))

    def on_record(self, call: AppCall, now_ms: float, over: bool = False) -> None:
        """Prints what is new in the app's record; with `over`, also what is still unfinished."""
        self._now_ms = max(self._now_ms, now_ms)
        self.account.app_call = call
        for turn in call.turns:
            if turn.heard and turn.number not in self._heard_shown:
                self._heard_shown.add(turn.number)
                self._show_heard(turn)
            if turn.number not in self._said_shown and (turn.over or over):
                self._said_shown.add(turn.number)
                self._show_said(turn)

    def on_api_trouble(self, message: str) -> None:
        """Said once; the report goes on with what the line knows."""
        if not self._trouble:
            self._line(self._paint("bad", f"  ! the words are not known: {message}"))
        self._trouble = message

    def _show_heard(self, turn: AppTurn) -> None:
        line = self.account.line_turn_of(turn)
        known = "" if line is None or not line.text else f'   (spoken: "{line.text}")'
        self._words.append(f"caller: {turn.heard}{known}")
        self._line(self._paint("caller", f'caller ▸ "{turn.heard}"') + self._paint("dim", known))

    def _show_said(self, turn: AppTurn) -> None:
        times = " · ".join(f"{name} {time_ms:.0f}" for name, time_ms in self.account.times_ms(turn))
        if not turn.said and not times:
            return
        note = "" if turn.outcome == "completed" else f"   ({turn.outcome})"
        zero = "the caller's last word" if turn.number else "the answer"
        self._words.append(f"agent: {turn.said}{note}")
        self._line(self._paint("agent", f'agent  ▸ "{turn.said}"') + self._paint("dim", note))
        details = [f"ms after {zero}: {times}" if times else "", parts_of_wait(turn), telling_costs(turn)]
        for detail in filter(None, details):
            self._words.append(f"    {detail}")
            self._write(_INDENT + self._paint("dim", f"  {detail}") + "\n")

    def finish(self, result: Mapping[str, Any], wanted_turns: int) -> Verdict:
        """Prints where everything is and the verdict, and returns it."""
        if (files := result["files"]) is not None:
            for name, key in (("caller", "caller_wav"), ("agent", "agent_wav"), ("words", "transcript")):
                self._write(f"{_INDENT}{name:<7} {files[key]}\n")
        lag_p99_ms = result.get("lag_p99_ms", 0.0)
        if lag_p99_ms > _TRUSTED_LAG_MS:
            late = f"the machine is busy: frames were up to {lag_p99_ms:.0f} ms late, and so are the times above"
            self._write(f"{_INDENT}{self._paint('dim', late)}\n")
        verdict = judge(self.account, result, wanted_turns, self._trouble)
        mark = self._paint("good", "✔") if verdict.passed else self._paint("bad", "✘")
        self._write(f"{mark} {verdict.line}\n")
        return verdict

    @property
    def transcript(self) -> str:
        """Who said what and how soon, as printed; empty if the app's words are not known."""
        return "".join(line + "\n" for line in self._words)

    def _line(self, text: str) -> None:
        started_ms = self.account.started_ms or self._now_ms
        moment = f"{(self._now_ms - started_ms) / 1000:7.2f} s  "
        self._write(self._paint("dim", moment) + text + "\n")
