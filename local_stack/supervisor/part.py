"""What the supervisor knows of a part, and of a step that has to be done between parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from local_stack.supervisor.addresses import PORTS


@dataclass(frozen=True)
class ReadyCheck:
    """How a part shows that it works: an answer of its own protocol."""

    kind: Literal["http", "postgres", "redis", "tcp"]
    port: int
    path: str = "/health"


@dataclass(frozen=True)
class Part:
    """A process of the stack."""

    name: str
    command: tuple[str, ...]
    ports: dict[str, int]
    """The names of `PORTS` that it listens on, with their numbers."""
    ready: tuple[ReadyCheck, ...]
    address: str
    """Where it is found, for people."""
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    after: tuple[str, ...] = ()
    """Names of parts and preparations that have to be ready before it starts."""
    deadline_seconds: float = 30.0
    """Time within which it has to be ready."""

    def variable(self, port_name: str) -> str:
        """Return the environment variable that changes one of its ports."""
        return PORTS[port_name][0]


@dataclass(frozen=True)
class Preparation:
    """A command that runs once at each start, when the parts it needs are ready."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    after: tuple[str, ...] = ()
    deadline_seconds: float = 60.0
