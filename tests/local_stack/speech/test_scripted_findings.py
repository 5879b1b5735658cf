"""What a scripted model finds where structured output is wanted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_stack.speech.scripted.findings import found
from local_stack.speech.scripted.script import ScriptError, read_script

SCHEMA = {
    "type": "object",
    "properties": {"intent": {"type": "string", "enum": ["a", "b"]}, "order": {"type": "string"}},
}
SCRIPT = read_script(
    {
        "dialogue": [
            {"heard": "Where is it?", "reply": "Here.", "finds": {"intent": "b", "mood": "bad"}},
            {"heard": 'I said "no".', "reply": "Well.", "finds": {"order": "B5678"}},
        ],
        "finds": {"order": "A1234", "unknown": 5},
    }
)


def asked(text: str) -> Any:
    return found(SCHEMA, [{"role": "user", "content": text}], SCRIPT.finds, SCRIPT.dialogue)


def test_the_whole_call_s_findings_stand_in_what_fits_the_schema() -> None:
    assert asked("Something else.") == {"intent": "a", "order": "A1234"}


def test_the_caller_s_last_words_have_findings_of_their_own() -> None:
    assert asked("Agent: hello. Caller: Where is it?") == {"intent": "b", "order": "A1234"}
    assert asked(json.dumps(["Where is it?", 'I said "no".'])) == {"intent": "a", "order": "B5678"}


def test_what_is_no_object_stays_as_the_schema_has_it() -> None:
    assert found({"type": "string"}, [], SCRIPT.finds, SCRIPT.dialogue) == "scripted"


@pytest.mark.parametrize("script", [{"finds": []}, {"dialogue": [{"heard": "x", "finds": "y"}]}])
def test_findings_are_values_by_property(script: dict[str, Any]) -> None:
    with pytest.raises(ScriptError, match="finds are values by property"):
        read_script(script)
