"""The command: what it refuses, what its exit code says, and which reports it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from local_stack.eval import command
from local_stack.eval.callers import SpeakingCaller, from_file
from local_stack.eval.checks import Check, Verdict
from local_stack.eval.outcome import Outcome
from local_stack.eval.runner import Runner
from local_stack.eval.scenario import Caller, CallerLine, Scenario
from local_stack.eval.stack import CalledStack
from tests.local_stack.eval.seen import scenario, seen, turn

NOWHERE = "http://127.0.0.1:9"
GOOD = "title: A call\nagent: orders\ncaller: {lines: [Hello.]}\n"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    return tmp_path


def test_a_wrong_file_is_refused_before_anything_starts(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = state / "wrong.yaml"
    file.write_text(GOOD + "lines: 5\n")
    assert command.main([str(file)]) == command.WRONG_USAGE
    assert capsys.readouterr().err.startswith(f"eval: {file}: lines: unknown field; known are title")


def test_two_scenarios_of_one_name_are_refused(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (state / folder).mkdir()
        (state / folder / "same.yaml").write_text(GOOD)
    assert command.main([str(state / "a" / "same.yaml"), str(state / "b" / "same.yaml")]) == command.WRONG_USAGE
    assert "has the same name as" in capsys.readouterr().err


def test_no_running_stack_is_said(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_PORT", "9")
    assert command.main(["--running"]) == command.WRONG_USAGE
    assert "no stack is running" in capsys.readouterr().err
    assert command.main(["--running", "--model", "scripted"]) == command.WRONG_USAGE
    assert "has the local model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.PASSED, command.PASSED), (Verdict.FAILED, command.FAILED)], ids=str
)
def test_the_exit_code_says_whether_all_was_as_expected(
    state: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, status: int
) -> None:
    @asynccontextmanager
    async def stack(*_: object) -> AsyncIterator[CalledStack]:
        yield CalledStack(NOWHERE, NOWHERE, NOWHERE, NOWHERE, state, is_scripted=True)

    async def run(_runner: Runner, scenarios: Sequence[Scenario], _tell: object) -> list[Outcome]:
        left_out = Outcome(scenario(name="left-out"), skipped="needs tools")
        return [Outcome(scenarios[0], seen(turn(0, None, "Hello.")), [Check("it is", verdict)]), left_out]

    monkeypatch.setattr(command, "_stack", stack)
    monkeypatch.setattr(Runner, "run", run)
    file = state / "a-call.yaml"
    file.write_text(GOOD)
    assert command.main([str(file), "--report", str(state / "report")]) == status
    assert "a-call" in (state / "report" / "report.html").read_text()
    assert b"a-call" in (state / "report" / "junit.xml").read_bytes()


class Wishes:
    """The phone simulator, as far as it is told whom to call."""

    def __init__(self) -> None:
        self.wishes: list[dict[str, object]] = []

    async def call(self, wish: dict[str, object]) -> AsyncIterator[dict[str, object]]:
        self.wishes.append(wish)
        yield {"event": "call_started", "call_sid": "CA1"}


async def test_a_caller_interrupts_the_answer_before_the_line() -> None:
    lines = (CallerLine("one"), CallerLine("two", interrupts=True), CallerLine("three", language="hi-IN"))
    phone = Wishes()

    async def sound(line: CallerLine, at: int) -> dict[str, object]:
        return from_file(Path(f"{at}.wav"), line.say)

    called = scenario(line="twilio", caller=Caller(lines, number="+14155550101"))
    placed = await SpeakingCaller(phone, sound).call(called, "+15550000001")  # type: ignore[arg-type]
    (wish,) = phone.wishes
    assert (wish["pattern"], wish["language"], wish["to"]) == ("bpp", "hi-IN", "+15550000001")
    assert [one["text"] for one in wish["utterances"]] == ["one", "two", "three"]  # type: ignore[attr-defined]
    assert placed.call_sid == "CA1"
