"""The outcomes as one HTML file that needs nothing beside it: an overview, and a part for every call."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import median
from typing import Final

from local_stack.eval.checks import Verdict
from local_stack.eval.html_call import call_part, chip, longest_wait_ms
from local_stack.eval.html_style import STYLE
from local_stack.eval.outcome import Outcome

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
"""Whatever was said in a call, nothing is fetched and nothing runs."""
_COLUMNS: Final = ("Result", "Scenario", "Line", "Statements", "Median wait", "Took")


def html_report(outcomes: Sequence[Outcome], took_s: float, model: str = "") -> str:
    """The whole page. Whatever was said or answered in a call is shown as text, never as markup."""
    scale_ms = max([1000.0, *(longest_wait_ms(one) for one in outcomes)])
    parts = "".join(call_part(outcome, scale_ms) for outcome in outcomes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escape(_title(outcomes))}</title><style>{STYLE}</style></head>"
        f'<body><a class="skip" href="#calls">Skip to the calls</a>'
        f"{_header(outcomes, took_s, model)}<main>{_failures(outcomes)}{_overview(outcomes)}"
        f'<section id="calls" aria-label="Calls">{parts}</section></main></body></html>'
    )


def _numbers(outcomes: Sequence[Outcome]) -> dict[Verdict, int]:
    return {verdict: sum(one.verdict is verdict for one in outcomes) for verdict in Verdict}


def _title(outcomes: Sequence[Outcome]) -> str:
    numbers = _numbers(outcomes)
    return f"{numbers[Verdict.FAILED]} failed, {numbers[Verdict.PASSED]} passed · Evaluation"


def _header(outcomes: Sequence[Outcome], took_s: float, model: str) -> str:
    numbers = _numbers(outcomes)
    checks = [check for outcome in outcomes for check in outcome.checks]
    held = sum(check.verdict is Verdict.PASSED for check in checks)
    waits = [wait for one in outcomes if one.seen for wait in one.seen.waits_ms]
    tiles = [
        *((f"{verdict} {'some' if number else 'none'}", str(number), _WORDS[verdict])
          for verdict, number in numbers.items()),
        ("plain", f"{held}<small>/{len(checks)}</small>", "statements held"),
        ("plain", f"{median(waits):.0f}<small> ms</small>" if waits else "–", "median wait"),
        ("plain", f"{took_s:.0f}<small> s</small>", "in all"),
    ]  # fmt: skip
    shown = "".join(f'<li class="{kind}"><b>{number}</b> {what}</li>' for kind, number, what in tiles)
    by = f"<p>Simulated callers, with the {escape(model)} model</p>" if model else ""
    return f'<header><h1>Evaluation of agents</h1>{by}<ul class="tiles">{shown}</ul></header>'


_WORDS: Final = {Verdict.PASSED: "passed", Verdict.FAILED: "failed", Verdict.SKIPPED: "left out"}


def _failures(outcomes: Sequence[Outcome]) -> str:
    """What a reader wants to know first."""
    failed = [outcome for outcome in outcomes if outcome.verdict is Verdict.FAILED]
    if not failed:
        return ""
    items = "".join(
        f'<li><a href="#{escape(outcome.scenario.name)}">{escape(outcome.scenario.name)}</a>: {escape(line)}</li>'
        for outcome in failed
        for line in ([outcome.trouble] if outcome.trouble else [check.what for check in outcome.failures])
    )
    return f'<section class="failures"><h2>Not as expected</h2><ul>{items}</ul></section>'


def _overview(outcomes: Sequence[Outcome]) -> str:
    heads = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    rows = "".join(_row(outcome) for outcome in outcomes)
    return (
        '<div class="overview"><table><caption>All scenarios</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(outcome: Outcome) -> str:
    scenario = outcome.scenario
    name, title = escape(scenario.name), escape(scenario.title)
    held = sum(check.verdict is Verdict.PASSED for check in outcome.checks)
    passed_over = sum(check.verdict is Verdict.SKIPPED for check in outcome.checks)
    counted = f"{held} of {len(outcome.checks)}" if outcome.checks else "–"
    if passed_over:
        counted += f"<small>{passed_over} passed over</small>"
    waits = outcome.seen.waits_ms if outcome.seen else []
    waited = f"{median(waits):.0f} ms" if waits else "–"
    took = f"{outcome.took_s:.1f} s" if outcome.seen else "–"
    return (
        f'<tr><td>{chip(outcome.verdict)}</td><th scope="row"><a href="#{name}">{name}</a><small>{title}</small></th>'
        f"<td>{escape(scenario.line)}</td><td>{counted}</td><td>{waited}</td><td>{took}</td></tr>"
    )
