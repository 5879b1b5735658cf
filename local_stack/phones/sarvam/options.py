"""What one simulated call of a voice agent is made with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from local_stack.phones.conversation import Plan
from local_stack.phones.people import Callee, People
from local_stack.phones.provider_speech import ProviderSpeech
from local_stack.phones.sarvam.account import Account
from local_stack.phones.sarvam.misbehaviour import Misbehaviour
from local_stack.phones.utterance import Utterance

UNANSWERED: Final = {
    Callee.BUSY: ("busy", "user_busy"),
    Callee.REJECTS: ("busy", "call_rejected"),
    Callee.NO_ANSWER: ("no_answer", "no_user_response"),
    Callee.FAILED: ("failed", "invalid_number"),
}
"""The attempt's `status` and, behind the carrier's name, its `failure_reason`."""


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


def new_interaction_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d}-{uuid.uuid4()}"


@dataclass(frozen=True)
class CallOptions:
    """`user_number` is the person's, `agent_number` the agent's; E.164 with its plus sign."""

    account: Account
    speech: ProviderSpeech
    app_url: str
    user_number: str
    agent_number: str
    direction: Direction = Direction.INBOUND
    attempt_id: str = ""
    """Of an outbound call, and then the call's name."""
    interaction_id: str = field(default_factory=new_interaction_id)
    app_version: int = 1
    agent_variables: Mapping[str, Any] = field(default_factory=dict)
    initial_bot_message: str = ""
    """What the agent says first if no hook says otherwise."""
    result_url: str = ""
    """Where the result is told; empty: to the webhook that is saved in the workspace."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    language: str = "English"
    caller_language: str = ""
    """What the caller is heard to speak, and in which the agent then goes on by itself; "": the agent's own."""
    allowed_languages: Sequence[str] = ("English", "Hindi")
    callee: Callee = Callee.ANSWERS
    ring_ms: int = 500
    utterances: Sequence[Utterance] = ()
    plan: Plan = field(default_factory=Plan)
    murmur: Utterance | None = None
    misbehaviours: frozenset[Misbehaviour] = frozenset()
    max_call_ms: int = 300_000
    tool_timeout_s: float = 15.0
    state_dir: Path | None = None
    people: People = field(default_factory=dict)
    """Who can be called, by number."""

    @property
    def name(self) -> str:
        """The provider's id of the call."""
        return self.attempt_id or self.interaction_id

    @property
    def folder_name(self) -> str:
        return self.name.replace("/", "-")
