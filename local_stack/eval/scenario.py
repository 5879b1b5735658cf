"""What a scenario file says: who answers, who calls on which line, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

TEXT_LINE: Final = "text"
"""Words are typed in and read: no speech on the way, therefore quick."""
LINES: Final = (
    TEXT_LINE,
    "twilio",
    "twilio-relay",
    "twilio-gather",
    "vonage",
    "vonage-input",
    "connect",
    "connect-lex",
    "sarvam",
)
SCRIPTED, LOCAL = "scripted", "local"
MODELS: Final = (SCRIPTED, LOCAL)
NEEDS: Final = ("tools", "knowledge", "analysis")
"""What an app may offer or not; scenarios that need it are skipped where it does not."""


class WrongScenario(ValueError):
    """The file cannot be used; one line that names the file and the field."""


@dataclass(frozen=True)
class CallerLine:
    """What the caller says in one go.

    `reply`, `tool` and `faults` are for the scripted model: what it answers, which tool it calls before that, and
    what goes wrong meanwhile. `interrupts`: it is said into the answer before it. `language`: of which a recogniser
    of several languages says that it is; "": the line's own.
    """

    say: str
    reply: str = ""
    tool: Mapping[str, Any] | None = None
    wav: Path | None = None
    interrupts: bool = False
    language: str = ""
    faults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Persona:
    """A caller whom a model plays until the goal is met or `turns` are up."""

    who: str
    goal: str
    turns: int = 6


@dataclass(frozen=True)
class Caller:
    """`waits`: the caller does not hang up, so that the agent, or its patience, has to end the call. `handed`: what
    another provider knows of the caller, who is put through by it.
    """

    lines: tuple[CallerLine, ...] = ()
    persona: Persona | None = None
    number: str = ""
    waits: bool = False
    handed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Words:
    """Each of these texts is in what was said, none of those, and each pattern is found; letters of either case."""

    contains: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToolUse:
    """A sample service was called; `arguments`: those that are named were these. `times`: None for at least once."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = None


@dataclass(frozen=True)
class Judged:
    """A model reads the conversation and gives from 0 to 1 for the rubric."""

    rubric: str
    at_least: float = 0.7


@dataclass(frozen=True)
class OfTurn:
    """What holds of one turn; 0 is the greeting."""

    turn: int
    said: Words = Words()
    heard: Words = Words()
    outcome: str = ""
    within_ms: float | None = None


@dataclass(frozen=True)
class OfCall:
    """What holds of the call. `first_sound_ms`: by percentile (`p50`, `p95` …), the wait for the first sound of an
    answer. `instructions`: of what the model was told as its rules; `extracted`: values of the analysis, by name.
    """

    said: Words = Words()
    instructions: Words = Words()
    tools: tuple[ToolUse, ...] = ()
    no_tools: tuple[str, ...] = ()
    language: str = ""
    end_reason: str = ""
    interrupted_turns: int | None = None
    first_sound_ms: Mapping[str, float] = field(default_factory=dict)
    extracted: Mapping[str, Any] = field(default_factory=dict)
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One call. `agent`: the document; `agent_name`: under which it is put into the app. `tool_faults`: what goes
    wrong with the sample services, by operation: a status or `timeout`.
    """

    name: str
    title: str
    file: Path
    agent: Mapping[str, Any]
    agent_name: str
    line: str
    caller: Caller
    models: tuple[str, ...] = (SCRIPTED,)
    needs: tuple[str, ...] = ()
    documents: tuple[Path, ...] = ()
    tool_faults: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[OfTurn, ...] = ()
    call: OfCall = OfCall()
    longest_s: int = 60

    @property
    def by_text(self) -> bool:
        return self.line == TEXT_LINE
