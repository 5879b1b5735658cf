"""Which capability of which line the end-to-end tests have proved: collected as they pass, and kept when all have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.domain.telephony.lines import CAPABILITIES, Capability, Line
from tests.end_to_end.line_calls import LINES

PROOFS = Path(__file__).with_name("proofs.json")
"""`{line: {capability: name of the test}}`, as the last whole run left it."""

_C = Capability
_WEB = (Line.WEB,)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a test proves, on every one of `lines` that can do it. `module`: the file of this folder it stands in."""

    capabilities: frozenset[Capability]
    module: str = "test_lines"
    lines: tuple[Line, ...] = LINES

    def on(self, line: Line) -> frozenset[Capability]:
        return self.capabilities & CAPABILITIES[line] if line in self.lines else frozenset()


def _proof(*capabilities: Capability, module: str = "test_lines", lines: tuple[Line, ...] = LINES) -> Proof:
    return Proof(frozenset(capabilities), module, lines)


PROVES: Mapping[str, Proof] = {
    "test_three_turns_are_heard_and_answered": _proof(_C.AUDIO, _C.TEXT_STREAM, _C.TEXT_TURNS),
    "test_keys_are_a_turn": _proof(_C.KEYS_IN),
    "test_an_interrupted_reply_stops": _proof(_C.INTERRUPTION),
    "test_of_an_interrupted_reply_only_what_was_heard_remains": _proof(_C.HEARD_WORDS),
    "test_the_caller_is_put_through_to_a_person": _proof(_C.COLD_TRANSFER),
    "test_a_person_is_told_and_joined": _proof(_C.WARM_TRANSFER),
    "test_an_operator_ends_a_call": _proof(_C.HANG_UP),
    "test_who_is_dialled_once_talks_with_the_agent": _proof(_C.OUTBOUND),
    "test_keys_reach_the_other_side": _proof(_C.KEYS_OUT),
    "test_the_provider_records": _proof(_C.RECORDING),
    "test_a_machine_is_left_a_message": _proof(_C.VOICEMAIL_DETECTION),
    "test_a_call_goes_on_in_another_language": _proof(_C.LANGUAGE_SWITCH, module="test_line_languages"),
    "test_both_sides_are_overheard": _proof(_C.LIVE_LISTENING, module="test_live_listening"),
    "test_a_dial_whose_answer_is_lost_is_one_call": _proof(_C.IDEMPOTENT_DIAL, module="test_idempotent_dial"),
    "test_a_person_is_heard_and_hears_the_answer": _proof(_C.AUDIO, module="test_talk_page", lines=_WEB),
    "test_the_agent_can_be_interrupted": _proof(_C.INTERRUPTION, _C.HEARD_WORDS, module="test_talk_page", lines=_WEB),
    "test_the_call_is_an_operators_too": _proof(_C.LANGUAGE_SWITCH, _C.HANG_UP, module="test_talk_page", lines=_WEB),
}
"""By the tests' names."""


def lines_with(*capabilities: Capability) -> list[Line]:
    """The lines that can do one of these."""
    return [line for line in LINES if CAPABILITIES[line].intersection(capabilities)]


class Proofs:
    """What has been proved in this run."""

    def __init__(self) -> None:
        self._found: dict[Line, dict[Capability, str]] = {}

    def add(self, test: str, line: Line) -> None:
        """The test has passed on this line."""
        for capability in PROVES[test].on(line):
            self._found.setdefault(line, {})[capability] = test

    @property
    def are_whole(self) -> bool:
        """Whether every test has passed on every line that it is for."""
        return self._found == expected()

    def keep(self) -> None:
        document = {line: dict(sorted(self._found[line].items())) for line in Line if line in self._found}
        PROOFS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def expected() -> dict[Line, dict[Capability, str]]:
    """What a whole run proves."""
    found: dict[Line, dict[Capability, str]] = {}
    for test, proof in PROVES.items():
        for line in proof.lines:
            found.setdefault(line, {}).update(dict.fromkeys(proof.on(line), test))
    return {line: proved for line, proved in found.items() if proved}


def kept() -> dict[Line, dict[Capability, str]]:
    """Raises: OSError, ValueError for a file that names what there is not."""
    document = json.loads(PROOFS.read_text(encoding="utf-8"))
    return {
        Line(line): {Capability(capability): test for capability, test in proved.items()}
        for line, proved in document.items()
    }
