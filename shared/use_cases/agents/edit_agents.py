"""An agent's document from its first draft to the version that answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.agents.consistency import faults_of
from shared.domain.agents.faults import InvalidDocument
from shared.domain.errors import InvalidRequest, NotFound
from shared.ports.agent_documents import AgentDocuments
from shared.ports.agent_versions import AgentRecord, AgentVersions

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class EditAgents:
    versions: AgentVersions
    documents: AgentDocuments

    async def save_draft(
        self, tenant_id: str, agent_id: str, document: Mapping[str, Any], *, revision: int | None
    ) -> AgentRecord:
        """A draft is whole and right in itself at any time: what is wrong is said when it is written.

        Raises: InvalidDocument, InvalidRequest for an id that cannot be one, Conflict for a draft that somebody
        else has changed.
        """
        if not _ID.fullmatch(agent_id):
            raise InvalidRequest("agent_id", "an agent's id has 1 to 63 of a-z, 0-9, - and _")
        self.check(document)
        return await self.versions.save_draft(tenant_id, agent_id, document, revision=revision)

    def check(self, document: Mapping[str, Any]) -> None:
        """Raises: InvalidDocument."""
        if faults := faults_of(self.documents.read(document)):
            raise InvalidDocument(faults)

    async def publish(self, tenant_id: str, agent_id: str, *, revision: int, by: str, note: str) -> int:
        """Let the draft answer from now on, for calls that begin now; gives the number of the version.

        Raises: InvalidDocument where the rules have changed since it was drafted, NotFound, Conflict.
        """
        if len(note) > LONGEST_NOTE:
            raise InvalidRequest("note", f"a note has at most {LONGEST_NOTE} characters")
        record = await self.versions.one(tenant_id, agent_id)
        if record is None:
            raise NotFound("agent_unknown", "there is no such agent")
        if record.draft is not None:
            self.check(record.draft)
        return await self.versions.publish(tenant_id, agent_id, revision=revision, by=by, note=note)

    async def roll_back(self, tenant_id: str, agent_id: str, version: int, *, by: str) -> None:
        """Let a version answer that did before. Raises: NotFound, InvalidDocument where it fits no more."""
        found = await self.versions.version(tenant_id, agent_id, version)
        if found is None:
            raise NotFound("version_unknown", "the agent has no such version")
        self.check(found.document)
        await self.versions.point(tenant_id, agent_id, version, by=by)
