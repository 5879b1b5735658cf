"""What an operator, or whoever assists one, reads of a call that a person handles: both sides' words as they come."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import overheard, pipe_names
from shared.domain.overheard import Overheard
from shared.ports.file_store import FileStore
from shared.ports.pipes import Pipes
from shared.use_cases.calls.look_up_calls import LookUpCalls


@dataclass(frozen=True, slots=True)
class ReadOverheard:
    look_up_calls: LookUpCalls
    pipes: Pipes
    files: FileStore

    async def __call__(self, tenant_id: str, call_id: str, *, after_ms: int = 0) -> list[Overheard]:
        """In the order in which they began; `after_ms`: only what ended later.

        Raises: NotFound, also for a call of another tenant; StoreError.
        """
        call = await self.look_up_calls.one(tenant_id, call_id)
        entries = await self.pipes.read(pipe_names.overheard(call.call_id))
        speeches = overheard.read(entry.fields for entry in entries)
        if not speeches and call.state.is_end:
            content = await self.files.get(overheard.file_of(tenant_id, call.call_id))
            speeches = [] if content is None else overheard.from_lines(content)
        return [speech for speech in speeches if speech.ended_ms > after_ms]
