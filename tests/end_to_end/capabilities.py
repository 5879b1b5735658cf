"""Which capability of which line the end-to-end tests have proved: collected as they pass, and kept when all have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from shared.domain.telephony.lines import CAPABILITIES, Capability, Line
from tests.end_to_end.line_calls import LINES

PROOFS = Path(__file__).with_name("proofs.json")
"""`{line: {capability: name of the test}}`, as the last whole run left it."""

_C = Capability
PROVES: Mapping[str, tuple[Capability, ...]] = {
    "test_three_turns_are_heard_and_answered": (_C.AUDIO, _C.TEXT_STREAM, _C.TEXT_TURNS),
    "test_keys_are_a_turn": (_C.KEYS_IN,),
    "test_an_interrupted_reply_stops": (_C.INTERRUPTION,),
    "test_of_an_interrupted_reply_only_what_was_heard_remains": (_C.HEARD_WORDS,),
    "test_the_caller_is_put_through_to_a_person": (_C.COLD_TRANSFER,),
    "test_a_person_is_told_and_joined": (_C.WARM_TRANSFER,),
    "test_an_operator_ends_a_call": (_C.HANG_UP,),
    "test_who_is_dialled_once_talks_with_the_agent": (_C.OUTBOUND,),
}
"""By the tests' names in `test_lines.py`: what each proves, on every line that can do it."""

PROVED_ELSEWHERE: Mapping[Line, Mapping[Capability, str]] = {
    Line.WEB: {
        _C.AUDIO: "test_talk_page.test_a_person_is_heard_and_hears_the_answer",
        _C.INTERRUPTION: "test_talk_page.test_the_agent_can_be_interrupted",
    },
}
"""By module and test of this folder."""


def lines_with(*capabilities: Capability) -> list[Line]:
    """The lines that can do one of these."""
    return [line for line in LINES if CAPABILITIES[line].intersection(capabilities)]


class Proofs:
    """What has been proved in this run."""

    def __init__(self) -> None:
        self._found: dict[Line, dict[Capability, str]] = {}

    def add(self, test: str, line: Line) -> None:
        """The test has passed on this line."""
        for capability in CAPABILITIES[line].intersection(PROVES[test]):
            self._found.setdefault(line, {})[capability] = test

    @property
    def are_whole(self) -> bool:
        """Whether every test has passed on every line that it is for."""
        return self._found == expected()

    def keep(self) -> None:
        document = {line: dict(sorted(self._found[line].items())) for line in LINES if line in self._found}
        PROOFS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def expected() -> dict[Line, dict[Capability, str]]:
    """What a whole run proves."""
    by_capability = {capability: test for test, proved in PROVES.items() for capability in proved}
    return {
        line: {capability: by_capability[capability] for capability in CAPABILITIES[line] & by_capability.keys()}
        for line in LINES
    }


def kept() -> dict[Line, dict[Capability, str]]:
    """Raises: OSError, ValueError for a file that names what there is not."""
    document = json.loads(PROOFS.read_text(encoding="utf-8"))
    return {
        Line(line): {Capability(capability): test for capability, test in proved.items()}
        for line, proved in document.items()
    }
