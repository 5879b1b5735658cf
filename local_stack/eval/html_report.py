"""The outcomes as one HTML file that needs nothing beside it: words with statements, the ledger as bars, sound."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from local_stack.eval.checks import Check, Verdict
from local_stack.eval.html_style import STYLE
from local_stack.eval.observed import Observed, TurnSeen
from local_stack.eval.outcome import Outcome
from local_stack.phones.picture.scene import NotACall
from local_stack.phones.plot import write_picture

_SIGNS: Final = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.SKIPPED: "–"}
_STAGES: Final = ("decision", "transcript", "first_token", "first_sentence", "first_audio_byte", "first_frame_sent")
_SHORTEST_SCALE_MS: Final = 1000.0


def html_report(outcomes: Sequence[Outcome], took_s: float) -> str:
    """The whole page. Whatever was said or answered in a call is shown as text, never as markup."""
    numbers = {verdict: sum(one.verdict is verdict for one in outcomes) for verdict in Verdict}
    counts = "".join(
        f'<span class="count {verdict if number else "none"}">{number} {verdict}</span>'
        for verdict, number in numbers.items()
    )
    rows = "".join(_row(outcome) for outcome in outcomes)
    scale_ms = max([_SHORTEST_SCALE_MS, *(wait for one in outcomes if one.seen for wait in one.seen.waits_ms)])
    parts = "".join(_part(outcome, scale_ms) for outcome in outcomes)
    table = (
        f"<table><tr><th></th><th>Scenario</th><th>Line</th><th>Statements</th><th>Seconds</th></tr>{rows}</table>"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Evaluation</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>Evaluation</h1>"
        f'<p class="counts">{counts}<span class="took">in {took_s:.0f} s</span></p>{table}{_legend()}{parts}'
        "</main></body></html>"
    )


def _row(outcome: Outcome) -> str:
    name = escape(outcome.scenario.name)
    held = sum(check.verdict is Verdict.PASSED for check in outcome.checks)
    counted = f"{held} of {len(outcome.checks)}" if outcome.checks else ""
    took = f"{outcome.took_s:.1f}" if outcome.seen else ""
    return (
        f'<tr><td class="sign {outcome.verdict}">{_SIGNS[outcome.verdict]}</td><td><a href="#{name}">{name}</a></td>'
        f"<td>{escape(outcome.scenario.line)}</td><td>{counted}</td><td>{took}</td></tr>"
    )


def _legend() -> str:
    stages = "".join(f'<span><i class="{stage}"></i>{stage.replace("_", " ")}</span>' for stage in _STAGES)
    return f'<p class="legend">What a caller waits for until the first sound of an answer: {stages}</p>'


def _part(outcome: Outcome, scale_ms: float) -> str:
    scenario = outcome.scenario
    body = f'<p class="why">{escape(outcome.skipped or outcome.trouble)}</p>' if outcome.seen is None else ""
    if outcome.seen is not None:
        body = "".join(_seen(outcome, outcome.seen, scale_ms))
    is_open = " open" if outcome.verdict is not Verdict.SKIPPED else ""
    name, title = escape(scenario.name), escape(scenario.title)
    return (
        f'<details id="{name}"{is_open}><summary><b class="sign {outcome.verdict}">'
        f"{_SIGNS[outcome.verdict]}</b> <b>{name}</b> <span>{title}</span></summary>"
        f"{body}</details>"
    )


def _seen(outcome: Outcome, seen: Observed, scale_ms: float) -> Iterator[str]:
    record = seen.record
    facts = {
        "line": outcome.scenario.line,
        "agent": f"{record.get('agent_id')}, version {record.get('agent_version')}",
        "language": record.get("language") or "not noted",
        "ended because": record.get("end_reason") or "unknown",
    }
    yield '<p class="facts">' + "".join(
        f"<span>{escape(k)}: <b>{escape(str(v))}</b></span>" for k, v in facts.items()
    )
    yield "</p>" + _sound(seen.folder)
    yield '<div class="turns">'
    for turn in seen.turns:
        yield _turn(turn, [check for check in outcome.checks if check.turn == turn.number], scale_ms)
    yield "</div>"
    turns = {turn.number for turn in seen.turns}
    yield _checks([check for check in outcome.checks if check.turn not in turns])
    if seen.journal:
        yield "<h3>What the company's systems were asked</h3><ul>"
        for entry in seen.journal:
            asked = ", ".join(f"{name}={value!r}" for name, value in entry["arguments"].items())
            answer = entry.get("status", "no answer")
            yield f"<li><code>{escape(entry['name'])}({escape(asked)})</code> → {answer}</li>"
        yield "</ul>"


def _sound(folder: Path | None) -> str:
    """The call as it was on the line, the caller left, the agent right, and its picture."""
    if folder is None:
        return ""
    try:
        picture, stereo = write_picture(folder)
    except (NotACall, OSError):
        return '<p class="why">The sound of this call was not kept.</p>'
    return (
        f'<audio controls preload="none" src="{_data(stereo, "audio/wav")}"></audio>'
        f'<img alt="The call on a time line" src="{_data(picture, "image/png")}">'
    )


def _data(file: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def _turn(turn: TurnSeen, checks: Sequence[Check], scale_ms: float) -> str:
    heard = f'<p class="heard">{escape(turn.heard)}</p>' if turn.heard else ""
    said = f'<p class="said">{escape(turn.said)}</p>' if turn.said else ""
    number, outcome = turn.number or "greeting", escape(turn.outcome)
    return (
        f'<section><h4>{number}<small class="{outcome}">{outcome}</small></h4>'
        f"<div>{heard}{said}{_bar(turn, scale_ms)}{_checks(checks)}</div></section>"
    )


def _bar(turn: TurnSeen, scale_ms: float) -> str:
    if turn.wait_ms is None:
        return ""
    parts = "".join(
        f'<i class="{stage}" style="width:{turn.parts_ms.get(stage, 0) / scale_ms * 100:.2f}%" '
        f'title="{stage.replace("_", " ")}: {turn.parts_ms.get(stage, 0):.0f} ms"></i>'
        for stage in _STAGES
    )
    return f'<div class="bar">{parts}<span>{turn.wait_ms:.0f} ms</span></div>'


def _checks(checks: Sequence[Check]) -> str:
    if not checks:
        return ""
    lines = "".join(
        f'<li class="{check.verdict}"><b>{_SIGNS[check.verdict]}</b> {escape(check.what)}'
        + (f"<small>{escape(check.found)}</small></li>" if check.found else "</li>")
        for check in checks
    )
    return f'<ul class="checks">{lines}</ul>'
