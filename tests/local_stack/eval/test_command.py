"""The command: what it refuses, what its exit code says, and which reports it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from local_stack.eval import callers, command
from local_stack.eval.callers import SpeakingCaller, TypingCaller, from_file
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


def test_where_nothing_was_called_nothing_is_as_expected(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def stack(*_: object) -> AsyncIterator[CalledStack]:
        yield CalledStack(NOWHERE, NOWHERE, NOWHERE, NOWHERE, state, is_scripted=True)

    monkeypatch.setattr(command, "_stack", stack)
    file = state / "a-call.yaml"
    file.write_text(GOOD + "models: [local]\n")
    assert command.main([str(file), "--report", str(state / "report")]) == command.FAILED


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


class TypedCalls:
    """The phone simulator, as far as a caller who types is put through by it; `hung_up` is told once."""

    def __init__(self, *events: dict[str, object]) -> None:
        self.events = events
        self.typed: list[str] = []
        self.is_typed = asyncio.Event()
        self.hung_up = asyncio.Event()

    async def call(self, wish: dict[str, object]) -> AsyncIterator[dict[str, object]]:
        assert wish["typed"] is True
        yield {"event": "call_started", "call_sid": "CA1"}
        yield {"event": "agent_said", "text": "Hello."}
        await self.is_typed.wait()
        for event in self.events:
            yield event
        await self.hung_up.wait()
        yield {"event": "call_ended"}

    async def type_in(self, call_sid: str, text: str, language: str = "") -> bool:
        self.typed.append(text)
        self.is_typed.set()
        return True

    async def hang_up(self, call_sid: str) -> None:
        self.hung_up.set()


@pytest.mark.parametrize("meets", [{"event": "bridged"}, {"event": "room_told", "told": "participant-join"}])
async def test_who_is_put_through_to_a_person_hangs_up(
    meets: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "_WITH_A_PERSON_S", 0.01)
    phone = TypedCalls(meets)
    called = scenario(caller=Caller((CallerLine("A person, please."),), waits=True, number="+14155550101"))
    async with asyncio.timeout(5):
        placed = await TypingCaller(phone).call(called, "+15550000001")  # type: ignore[arg-type]
    assert phone.typed == ["A person, please."]
    assert placed.events[-1]["event"] == "call_ended"
