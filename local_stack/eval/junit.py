"""The outcomes as JUnit XML, as build servers read it: a suite, a case for every scenario."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Final

from local_stack.eval.checks import Verdict
from local_stack.eval.outcome import Outcome

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(outcomes: Sequence[Outcome], took_s: float) -> bytes:
    """What could not be called at all is an error, what was not as expected a failure."""
    counts = {
        "tests": len(outcomes),
        "failures": sum(bool(outcome.failures) for outcome in outcomes),
        "errors": sum(bool(outcome.trouble) for outcome in outcomes),
        "skipped": sum(outcome.verdict is Verdict.SKIPPED for outcome in outcomes),
    }
    suite = ET.Element("testsuite", {"name": "scenarios"} | _texts(counts, took_s))
    for outcome in outcomes:
        scenario = outcome.scenario
        case = ET.SubElement(
            suite,
            "testcase",
            name=scenario.name,
            classname=f"scenarios.{scenario.line}",
            time=f"{outcome.took_s:.3f}",
        )
        if outcome.skipped:
            ET.SubElement(case, "skipped", message=_clean(outcome.skipped))
        elif outcome.trouble:
            ET.SubElement(case, "error", message=_clean(outcome.trouble))
        elif outcome.failures:
            lines = [f"{check.what}; found: {check.found}" for check in outcome.failures]
            failure = ET.SubElement(case, "failure", message=_clean(lines[0]))
            failure.text = _clean("\n".join(lines))
        if outcome.seen is not None:
            ET.SubElement(case, "system-out").text = _clean(outcome.seen.conversation)
    root = ET.Element("testsuites", _texts(counts, took_s))
    root.append(suite)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _texts(counts: dict[str, int], took_s: float) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()} | {"time": f"{took_s:.3f}"}


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold at all."""
    return _NOT_XML.sub("\ufffd", text)
