"""The console's lines, JUnit XML and the HTML page tell the same outcomes, and hold whatever was said."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from local_stack.eval.checks import Check, Verdict
from local_stack.eval.console import line_of, summary_of
from local_stack.eval.html_report import html_report
from local_stack.eval.junit import junit_xml
from local_stack.eval.outcome import Outcome
from tests.local_stack.eval.seen import scenario, seen, turn

NASTY = '<script>alert("1")</script>\x00 & "more"'
SEEN = seen(
    turn(0, None, "Hello."), turn(1, NASTY, NASTY, wait_ms=420), journal=[{"name": "t", "arguments": {"a": NASTY}}]
)
FAILED = Check("the agent says 'yes'", Verdict.FAILED, NASTY, 1)
OUTCOMES = [
    Outcome(scenario(name="good"), SEEN, [Check("all is well", Verdict.PASSED)], took_s=1),
    Outcome(scenario(name="bad"), SEEN, [FAILED, Check("the call ends", Verdict.FAILED, "never")], took_s=2),
    Outcome(scenario(name="broken"), trouble="no call was possible"),
    Outcome(scenario(name="left-out"), skipped="needs tools, which the app does not offer"),
]


class Tags(HTMLParser):
    """Which elements there are, and what they fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.fetched += [value or "" for name, value in attrs if name == "src" or (name == "href" and tag == "link")]


def test_verdicts() -> None:
    assert [outcome.verdict for outcome in OUTCOMES] == ["passed", "failed", "failed", "skipped"]


def test_junit_counts_and_names_what_failed() -> None:
    suite = ET.fromstring(junit_xml(OUTCOMES, 5))[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suite}
    assert cases["good"].find("failure") is None
    failure = cases["bad"].find("failure")
    assert failure is not None
    assert "the agent says 'yes'" in (failure.get("message") or "")
    assert "the call ends; found: never" in (failure.text or "")
    skipped = cases["left-out"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "needs tools, which the app does not offer"


def test_the_page_shows_what_was_said_as_text_and_fetches_nothing() -> None:
    page = html_report(OUTCOMES, 5)
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.names
    assert tags.names.count("details") == len(OUTCOMES)
    assert tags.fetched == []
    assert "420 ms" in page
    assert "no call was possible" in page


def test_the_console_says_what_was_found_instead() -> None:
    lines = line_of(OUTCOMES[1]).splitlines()
    assert lines[0].split() == ["FAILED", "bad", "text", "2.0", "s", "0/2", "statements"]
    assert lines[2].strip() == "the call ends; found: never"
    assert line_of(OUTCOMES[3]).splitlines()[1].strip() == "needs tools, which the app does not offer"
    assert summary_of(OUTCOMES, 5).strip() == "1 passed, 2 failed, 1 skipped in 5 s"
