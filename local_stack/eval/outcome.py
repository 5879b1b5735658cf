"""What became of one scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local_stack.eval.checks import Check, Verdict
from local_stack.eval.observed import Observed
from local_stack.eval.scenario import Scenario


@dataclass(frozen=True)
class Outcome:
    """`trouble`: why the call could not be made; `skipped`: why it was not tried."""

    scenario: Scenario
    seen: Observed | None = None
    checks: Sequence[Check] = ()
    trouble: str = ""
    skipped: str = ""
    took_s: float = 0.0

    @property
    def verdict(self) -> Verdict:
        if self.skipped:
            return Verdict.SKIPPED
        if self.trouble or self.failures:
            return Verdict.FAILED
        return Verdict.PASSED

    @property
    def failures(self) -> list[Check]:
        return [check for check in self.checks if check.verdict is Verdict.FAILED]
