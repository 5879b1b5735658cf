"""Agents' documents as they are written, and as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from shared.domain.agents.document import AgentDocument


class AgentDocuments(Protocol):
    def read(self, document: Mapping[str, Any]) -> AgentDocument:
        """Raises: InvalidDocument that names each wrong field."""
        ...

    def write(self, document: AgentDocument) -> dict[str, Any]:
        """Only what differs from the usual; `read` gives the same document back."""
        ...

    def schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of what `read` takes."""
        ...
