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
NEEDS: Final = ("knowledge",)
"""What an app may offer or not; scenarios that need it are skipped where it does not."""


class WrongScenario(ValueError):
    """The file cannot be used; one line that names the file and the field."""


@dataclass(frozen=True)
class CallerLine:
    """What the caller says in one go.

    `reply`, `tool`, `finds` and `faults` are for the scripted model: what it answers, which tool it calls before
    that, what it finds in the words where structured output is wanted, and what goes wrong meanwhile. `wav`: a
    recording of the words; `recording`: the same, by its id in the voices' collection. `interrupts`: it is said into
    the answer before it; `listens`: who types waits until that would have been spoken, and for what comes of it.
    `language`: of which a recogniser of several languages says that it is; "": the line's own.
    """

    say: str
    reply: str = ""
    tool: Mapping[str, Any] | None = None
    wav: Path | None = None
    recording: str = ""
    interrupts: bool = False
    listens: bool = False
    language: str = ""
    finds: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Persona:
    """A caller whom a model plays until the goal is met or `turns` are up."""

    who: str
    goal: str
    turns: int = 6


@dataclass(frozen=True)
class Caller:
    """`number`: "" for one that nobody has called from. `waits`: the caller does not hang up, so that the agent, or
    its patience, has to end the call. `handed`: what another provider knows of the caller, who is put through by it.
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
    """Something was really done for the caller: a sample service was asked, a message taken, a call back planned, the
    caller put through. `arguments`: those that are named were these. `times`: None for at least once.
    """

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
    """What holds of one turn; 0 is the greeting. `cites`: documents on which the answer rests."""

    turn: int
    said: Words = Words()
    heard: Words = Words()
    outcome: str = ""
    within_ms: float | None = None
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfCall:
    """What holds of the call.

    `shown`: of what operators see of both sides' words, once it is redacted. `instructions`: of what the model was
    told as its rules; `told`: of all else that it was given. `intent` and `slots`: what was understood when the call
    ended; a slot that is True is known, whatever its value. `first_sound_ms`: by percentile (`p50`, `p95` …), the
    wait for the first sound of an answer. `result` (its `outcome`) and `extracted`: of the analysis after the call;
    values by name, or words that they have.
    """

    said: Words = Words()
    shown: Words = Words()
    instructions: Words = Words()
    told: Words = Words()
    tools: tuple[ToolUse, ...] = ()
    no_tools: tuple[str, ...] = ()
    language: str = ""
    end_reason: str = ""
    interrupted_turns: int | None = None
    intent: str = ""
    slots: Mapping[str, Any] = field(default_factory=dict)
    first_sound_ms: Mapping[str, float] = field(default_factory=dict)
    result: str = ""
    extracted: Mapping[str, Any] = field(default_factory=dict)
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One call. `agent`: the document; `agent_name`: under which it is put into the app. `tool_faults`: what goes
    wrong with the sample services, by operation: a status or `timeout`. `finds`: what the scripted model finds in the
    whole call. `people`: how those behave who are called, by number, as the phone simulator takes it.
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
    finds: Mapping[str, Any] = field(default_factory=dict)
    people: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[OfTurn, ...] = ()
    call: OfCall = OfCall()
    longest_s: int = 60

    @property
    def by_text(self) -> bool:
        return self.line == TEXT_LINE
