"""All that a company says of one agent: what is drafted, checked, published and pinned to a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Interval, Len

from shared.domain.agents.after_call import AfterCall, Retention
from shared.domain.agents.intents import Flow, Intent
from shared.domain.agents.knowledge import KnowledgeUse
from shared.domain.agents.models import ModelChoice
from shared.domain.agents.tools import Tools
from shared.domain.agents.values import LanguageTag, Spoken, Text, Title, closed
from shared.domain.limits import LONGEST_SILENCE_S
from shared.domain.manner import Manner


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDocument:
    """`patience_ms` is the silence that ends the caller's turn; `silence_limit_s` the silence that ends the call.
    `voices`: of the languages that a call may switch to, by tag. `models`: who thinks, in the order in which they
    are asked; none: those of the settings.
    """

    name: Title
    persona: Text
    greeting: Spoken
    language: LanguageTag = "en"
    voice: Annotated[str, Len(1, 100)] = "default"
    voices: Annotated[Mapping[LanguageTag, Annotated[str, Len(1, 100)]], Len(0, 25)] = field(default_factory=dict)
    patience_ms: Annotated[int, Interval(ge=100, le=10_000)] = 700
    silence_limit_s: Annotated[int, Interval(ge=1, le=3_600)] = 60
    interruptible: bool = True
    manner: Manner = field(default_factory=Manner)
    models: Annotated[tuple[ModelChoice, ...], Len(0, 5)] = ()
    tools: Tools = field(default_factory=Tools)
    knowledge: KnowledgeUse = field(default_factory=KnowledgeUse)
    intents: Annotated[tuple[Intent, ...], Len(0, 50)] = ()
    flow: Flow = field(default_factory=Flow)
    time_zone: Annotated[str, Len(1, 64)] = "UTC"
    """IANA name: which day "tomorrow" is."""
    memory_hours: Annotated[int, Interval(ge=0, le=720)] = 0
    """So long after a call the same caller can go on with what it was about; 0: nothing is remembered."""
    after_call: AfterCall = field(default_factory=AfterCall)
    retention: Retention = field(default_factory=Retention)

    def trusts(self, number: str) -> bool:
        """Whether the company has said that callers may be put through to this number."""
        destinations = (tool.destinations.values() for tool in self.tools.built_in)
        return self.manner.trusts(number) or any(number in numbers for numbers in destinations)

    @property
    def quiet_limit_ms(self) -> int:
        """The silence that ends the call, as far as one turn can last."""
        return min(self.silence_limit_s, LONGEST_SILENCE_S) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent(AgentDocument):
    """Who answers: a published document, owned by a tenant. Version 0 was never published."""

    agent_id: str
    tenant_id: str
    version: int = 0
