"""One call in the report: its words with the statements about them, the ledger as bars, its sound, its results."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from local_stack.eval.checks import Check, Verdict
from local_stack.eval.observed import Observed, TurnSeen
from local_stack.eval.outcome import Outcome
from local_stack.phones.picture.scene import NotACall
from local_stack.phones.plot import write_picture

_SIGNS: Final = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.SKIPPED: "–"}
_WORDS: Final = {Verdict.PASSED: "passed", Verdict.FAILED: "failed", Verdict.SKIPPED: "left out"}
_STAGES: Final = ("decision", "transcript", "first_token", "first_sentence", "first_audio_byte", "first_frame_sent")
_DEVANAGARI: Final = re.compile("[\u0900-\u097f]")


def chip(verdict: Verdict) -> str:
    return f'<span class="chip {verdict}"><span aria-hidden="true">{_SIGNS[verdict]}</span> {_WORDS[verdict]}</span>'


def longest_wait_ms(outcome: Outcome) -> float:
    return max(outcome.seen.waits_ms, default=0.0) if outcome.seen else 0.0


def call_part(outcome: Outcome, scale_ms: float) -> str:
    """`scale_ms`: how much time the whole width of a bar is."""
    scenario = outcome.scenario
    if outcome.seen is None:
        body = f'<p class="why">{escape(outcome.skipped or outcome.trouble)}</p>'
    else:
        body = "".join(_seen(outcome, outcome.seen, scale_ms))
    is_open = "" if outcome.verdict is Verdict.SKIPPED else " open"
    return (
        f'<details id="{escape(scenario.name)}" class="{outcome.verdict}"{is_open}><summary>{chip(outcome.verdict)}'
        f"<h2>{escape(scenario.name)}</h2><p>{escape(scenario.title)}</p></summary>{body}</details>"
    )


def _seen(outcome: Outcome, seen: Observed, scale_ms: float) -> Iterator[str]:
    record = seen.record
    yield _facts(
        {
            "Line": outcome.scenario.line,
            "Agent": f"{record.get('agent_id')}, version {record.get('agent_version')}",
            "Language": record.get("language") or "not noted",
            "Ended because": str(record.get("end_reason") or "unknown").replace("_", " "),
            "Length": f"{seen.duration_s:.0f} s",
        }
    )
    yield _sound(seen.folder, outcome.scenario.name)
    yield '<ol class="turns">'
    for turn in seen.turns:
        yield _turn(turn, [check for check in outcome.checks if check.turn == turn.number], scale_ms)
    yield "</ol>"
    turns = {turn.number for turn in seen.turns}
    if of_call := [check for check in outcome.checks if check.turn not in turns]:
        yield f"<h3>Of the whole call</h3>{_checks(of_call)}"
    if seen.journal:
        yield f"<h3>What was done for the caller</h3><ul class='deeds'>{''.join(map(_deed, seen.journal))}</ul>"
    if seen.understood:
        yield "<h3>What was understood</h3>" + _facts(_understood(seen.understood))
    if seen.analysis:
        yield "<h3>What was read out of the call</h3>" + _facts(_analysed(seen.analysis))


def _facts(facts: Mapping[str, Any]) -> str:
    lines = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(str(fact))}</dd></div>" for name, fact in facts.items())
    return f'<dl class="facts">{lines}</dl>'


def _understood(understood: Mapping[str, Any]) -> dict[str, Any]:
    slots = understood.get("slots") or {}
    values = ", ".join(f"{name}: {held.get('value') or 'known'}" for name, held in slots.items())
    return {"Intent": understood.get("intent") or "none", "Known": values or "nothing"}


def _analysed(analysis: Mapping[str, Any]) -> dict[str, Any]:
    extracted = analysis.get("extracted") or {}
    facts = {
        "Outcome": analysis.get("outcome"),
        "Sentiment": analysis.get("sentiment"),
        **{name.replace("_", " "): value for name, value in extracted.items()},
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _deed(entry: Mapping[str, Any]) -> str:
    asked = ", ".join(f"{name}={value!r}" for name, value in entry["arguments"].items() if value not in ("", None))
    status = f" → {entry['status']}" if "status" in entry else ""
    return f"<li><code>{escape(entry['name'])}({escape(asked)}){escape(status)}</code></li>"


def _sound(folder: Path | None, name: str) -> str:
    """The call as it was on the line, the caller left, the agent right, and its picture."""
    if folder is None:
        return ""
    try:
        picture, stereo = write_picture(folder)
    except (NotACall, OSError):
        return '<p class="why">The sound of this call was not kept.</p>'
    return (
        f'<figure><audio controls preload="metadata" aria-label="The call {escape(name)}" '
        f'src="{_data(stereo, "audio/wav")}"></audio>'
        '<div tabindex="0" role="region" aria-label="Time line"><img '
        'alt="The sound of both sides on a time line, with the moments of each answer" '
        f'src="{_data(picture, "image/png")}"></div>'
        "<figcaption>The caller is on the left, the agent on the right.</figcaption></figure>"
    )


def _data(file: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def _turn(turn: TurnSeen, checks: Sequence[Check], scale_ms: float) -> str:
    head = f"Turn {turn.number}" if turn.number else "Greeting"
    outcome = escape(turn.outcome)
    cites = f'<p class="cites">Rests on {escape(", ".join(turn.cites))}</p>' if turn.cites else ""
    return (
        f'<li><div class="of"><h3>{head}</h3><span class="{outcome}">{outcome}</span></div>'
        f'<div class="words">{_words("Caller", turn.heard)}{_words("Agent", turn.said)}{cites}'
        f"{_bar(turn, scale_ms)}{_checks(checks)}</div></li>"
    )


def _words(who: str, text: str) -> str:
    if not text:
        return ""
    language = ' lang="hi"' if _DEVANAGARI.search(text) else ""
    return f'<p class="{who.lower()}"><b>{who}</b><span{language} dir="auto">{escape(text)}</span></p>'


def _bar(turn: TurnSeen, scale_ms: float) -> str:
    """The wait for the first sound, and for what it was."""
    if turn.wait_ms is None:
        return ""
    parts = [(stage, turn.parts_ms[stage]) for stage in _STAGES if turn.parts_ms.get(stage, 0) >= 1]
    bars = "".join(f'<i class="{stage}" style="width:{ms / scale_ms * 100:.2f}%"></i>' for stage, ms in parts)
    stages = "".join(f'<span><i class="{stage}"></i>{stage.replace("_", " ")} {ms:.0f}</span>' for stage, ms in parts)
    return (
        f'<div class="ledger"><div class="bar" aria-hidden="true">{bars}</div>'
        f"<p><b>{turn.wait_ms:.0f} ms</b> until the first sound {stages}</p></div>"
    )


def _checks(checks: Sequence[Check]) -> str:
    if not checks:
        return ""
    return f'<ul class="checks">{"".join(map(_check, checks))}</ul>'


def _check(check: Check) -> str:
    """What was found is said unless the statement says it already."""
    is_told = check.verdict is Verdict.PASSED and check.found in check.what
    found = "" if is_told or not check.found else f"<small>{escape(check.found)}</small>"
    sign = f'<b aria-hidden="true">{_SIGNS[check.verdict]}</b><span class="hidden">{check.verdict}: </span>'
    return f'<li class="{check.verdict}">{sign}<span>{escape(check.what)}{found}</span></li>'
