"""Scenario files: those that ship are right, and whatever is wrong in one is named by its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_stack.eval.reading import read_scenario
from local_stack.eval.scenario import Words, WrongScenario
from local_stack.samples.catalogue import sample_agents, sample_scenarios

RIGHT: dict[str, Any] = {
    "title": "A call",
    "agent": "orders",
    "caller": {"lines": [{"say": "Hello.", "reply": "Hello."}]},
    "expect": {"call": {"end_reason": "caller_hung_up"}},
}


def written(folder: Path, content: object, name: str = "a-call.yaml") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return file


@pytest.mark.parametrize("file", sample_scenarios(), ids=lambda file: file.stem)
def test_the_scenarios_that_ship_can_be_read(file: Path) -> None:
    assert read_scenario(file).title


def test_what_ships_has_the_ten_kinds_of_calls() -> None:
    names = {file.stem for file in sample_scenarios()}
    assert names >= {
        "interruption", "silence", "angry-caller", "asks-for-a-person", "injection-by-voice", "injection-by-document",
        "tool-that-fails", "language-switch", "date-corrected-twice", "order-look-up",
    }  # fmt: skip
    assert set(sample_agents()) >= {"clinic", "orders", "helpline"}


def test_a_file_says_who_calls_whom_and_what_must_come(tmp_path: Path) -> None:
    (tmp_path / "hello.wav").touch()
    call = {
        **RIGHT,
        "agent": {"sample": "orders", "change": {"silence_limit_s": 5}},
        "line": "twilio",
        "needs": "knowledge",
        "people": {"+14155550190": {"callee": "busy"}},
        "caller": {
            "lines": [
                {"say": "Hello.", "tool": {"name": "look_up_order", "say": "One moment."}, "finds": {"intent": "x"}},
                {"say": "Stop.", "wav": "hello.wav", "interrupts": True},
            ]
        },
        "expect": {
            "turns": [{"turn": 1, "said": {"contains": "order"}, "within_ms": 900}],
            "call": {
                "tools": [{"name": "look_up_order", "with": {"number": "A1234"}}],
                "first_sound_ms": {"p95": 800},
                "extracted": {"order": {"contains": "A"}, "late": True},
            },
        },
    }
    read = read_scenario(written(tmp_path, call))
    assert (read.agent["silence_limit_s"], read.agent["name"], read.agent_name) == (5, "Otto", "eval-a-call")
    assert (read.caller.lines[1].wav, read.caller.lines[1].interrupts) == (tmp_path / "hello.wav", True)
    assert (read.turns[0].said.contains, read.turns[0].within_ms) == (("order",), 900)
    assert (read.call.tools[0].arguments, read.call.first_sound_ms) == ({"number": "A1234"}, {"p95": 800.0})
    assert (read.needs, read.people) == (("knowledge",), {"+14155550190": {"callee": "busy"}})
    assert read.caller.lines[0].tool == {"name": "look_up_order", "arguments": {}, "say": "One moment."}
    assert read.caller.lines[0].finds == {"intent": "x"}
    assert read.call.extracted == {"order": Words(contains=("A",)), "late": True}
    assert read.caller.number == "", "somebody who has not called before"


def test_a_change_goes_into_objects_and_null_takes_away(tmp_path: Path) -> None:
    change = {"manner": {"patience": 1}, "knowledge": None, "intents": []}
    read = read_scenario(written(tmp_path, {**RIGHT, "agent": {"sample": "orders", "change": change}}))
    plain = read_scenario(written(tmp_path, RIGHT)).agent
    assert read.agent["manner"] == {**plain["manner"], "patience": 1}
    assert ("knowledge" in plain, "knowledge" in read.agent) == (True, False)
    assert read.agent["intents"] == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"titel": "x"}, "titel: unknown field"),
    ({"title": 5}, "title: must be a text"),
    ({"title": None}, "title: is missing"),
    ({"agent": "nobody"}, "there is no sample agent 'nobody'; there are"),
    ({"agent": None}, "agent: must be the name of a sample agent"),
    ({"line": "pigeon"}, "line: 'pigeon' is not one of text"),
    ({"models": ["gpt"]}, "models: 'gpt' is not one of"),
    ({"longest_s": 1}, "longest_s: must be a whole number from 5 to 600"),
    ({"documents": "no.md"}, "documents: there is no file"),
    ({"caller": {}}, "caller.lines: is missing"),
    ({"caller": {"lines": [{"reply": "x"}]}}, "caller.lines[0].say: is missing"),
    ({"caller": {"lines": [{"say": "x", "wav": "no.wav"}]}}, "caller.lines[0].wav: there is no file"),
    ({"caller": {"lines": [{"say": "x", "tool": {}}]}}, "caller.lines[0].tool.name: is missing"),
    ({"caller": {"lines": [{"say": "x", "interrupts": True}]}}, "nobody can be interrupted on the line text"),
    ({"caller": {"lines": ["x"], "number": "112"}}, "caller.number: '112' is not a number"),
    ({"caller": {"lines": ["x"], "persona": {"who": "a", "goal": "b"}}}, "caller: has lines and a persona"),
    ({"caller": {"persona": {"who": "a", "goal": "b"}}}, "models: a persona needs a model that thinks"),
    ({"caller": {"persona": {"who": "a"}}, "models": ["local"]}, "caller.persona.goal: is missing"),
    ({"caller": {"lines": ["x"], "handed": {"a": "b"}}}, "caller.handed: callers are put through to"),
    ({"people": {"112": {}}}, "people: '112' is not a number"),
    (
        {"line": "vonage", "models": ["local"], "caller": {"persona": {"who": "a", "goal": "b"}}},
        "caller.persona: whom a model plays calls on the lines text and twilio",
    ),
    ({"expect": {"call": {"extracted": {"a": {"contains": 5}}}}}, "expect.call.extracted.a.contains: must"),
    ({"expect": {"turns": [{"said": {}}]}}, "expect.turns[0].turn: is missing"),
    ({"expect": {"turns": [{"turn": 1, "said": {"matches": "("}}]}}, "expect.turns[0].said.matches: '('"),
    ({"expect": {"turns": {"turn": 1}}}, "expect.turns: must be a list"),
    ({"expect": {"call": {"first_sound_ms": {"median": 5}}}}, "expect.call.first_sound_ms.median: is no percentile"),
    ({"expect": {"call": {"judged": [{"rubric": "kind", "at_least": 2}]}}}, "expect.call.judged[0].at_least: must"),
    ({"expect": {"call": {"tools": [{"with": {}}]}}}, "expect.call.tools[0].name: is missing"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_is_named_by_its_field(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = written(tmp_path, {**RIGHT, **change})
    with pytest.raises(WrongScenario) as wrong:
        read_scenario(file)
    assert str(wrong.value).startswith(f"{file}: ")
    assert message in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("content", ["- [", "just words", ""])
def test_what_is_no_scenario_at_all_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    with pytest.raises(WrongScenario) as wrong:
        read_scenario(written(tmp_path, content))
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongScenario, match=r"no\.yaml: No such file"):
        read_scenario(tmp_path / "no.yaml")
