"""The outcomes as lines on the console, and as a table at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from local_stack.eval.checks import Verdict
from local_stack.eval.outcome import Outcome

HEAD: Final = f"  {'result':<8}{'scenario':<34}{'line':<14}{'took':>7}  statements"
_WORDS: Final = {Verdict.PASSED: "passed", Verdict.FAILED: "FAILED", Verdict.SKIPPED: "skipped"}


def line_of(outcome: Outcome) -> str:
    """One line, and one more for whatever went wrong."""
    scenario = outcome.scenario
    held = sum(check.verdict is Verdict.PASSED for check in outcome.checks)
    counted = "" if not outcome.checks else f"{held}/{len(outcome.checks)} statements"
    head = f"  {_WORDS[outcome.verdict]:<8}{scenario.name:<34}{scenario.line:<14}{outcome.took_s:5.1f} s  {counted}"
    lines = [head.rstrip() if outcome.seen is not None else head.split("0.0 s", maxsplit=1)[0].rstrip()]
    if outcome.skipped:
        lines.append(f"          {outcome.skipped}")
    if outcome.trouble:
        lines.append(f"          {outcome.trouble}")
    for check in outcome.failures:
        where = "" if check.turn is None else f"turn {check.turn}: "
        lines.append(f"          {where}{check.what}; found: {check.found}")
    return "\n".join(lines)


def summary_of(outcomes: Sequence[Outcome], took_s: float) -> str:
    counts = [
        f"{sum(outcome.verdict is verdict for outcome in outcomes)} {verdict}"
        for verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED)
    ]
    return f"\n{', '.join(counts)} in {took_s:.0f} s"
