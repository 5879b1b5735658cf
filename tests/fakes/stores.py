"""Calls, agents and files in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from shared.domain.call import OUTBOUND, Agent, Call, CallState, EndReason, Recording, Turn, moves_forward
from shared.domain.errors import InvalidRequest, NotFound, StoreError
from shared.domain.provider_recording import ProviderRecording, RecordingState
from shared.domain.steps import FetchRequest
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.progress import AnsweredBy, Standing
from shared.domain.telephony.routes import Route
from shared.ports.file_store import LARGEST_APPEND_BYTES


class FakeCallStore:
    """Fills the port `CallStore`. `transcripts` maps call ids to texts; `down` makes every method fail."""

    def __init__(self) -> None:
        self.down = False
        self.transcripts: dict[str, str] = {}
        self._calls: dict[str, Call] = {}

    async def create(self, call: Call) -> bool:
        self._require_up()
        same = [
            c
            for c in self._calls.values()
            if c.provider_call_id and (c.provider, c.provider_call_id) == (call.provider, call.provider_call_id)
        ]
        if call.call_id in self._calls or same:
            return False
        self._calls[call.call_id] = replace(call, started_at=call.started_at.astimezone(UTC))
        return True

    async def advance(
        self, tenant_id: str, call_id: str, state: CallState, *, at: datetime, reason: EndReason | None = None
    ) -> bool:
        call = self._of(tenant_id, call_id)
        if call is None or not moves_forward(call.state, state):
            return False
        ended = {"ended_at": at, "end_reason": reason} if state.is_end else {}
        self._calls[call_id] = replace(call, state=state, **ended)
        return True

    async def enrich(
        self,
        tenant_id: str,
        call_id: str,
        *,
        answered_by: AnsweredBy | None = None,
        duration_s: float | None = None,
        price: str = "",
        language: str = "",
    ) -> bool:
        call = self._of(tenant_id, call_id)
        if call is None:
            return False
        standing = Standing(call.state, call.answered_by, call.duration_s, call.price).after(
            answered_by=answered_by, duration_s=duration_s, price=price
        )
        self._calls[call_id] = replace(
            call,
            answered_by=standing.answered_by,
            duration_s=standing.duration_s,
            price=standing.price,
            language=language or call.language,
        )
        return True

    async def name(self, tenant_id: str, call_id: str, provider_call_id: str) -> bool:
        call = self._of(tenant_id, call_id)
        if call is None or call.direction != OUTBOUND or call.provider_call_id not in ("", provider_call_id):
            return False
        other = await self.of_provider(call.provider, provider_call_id)
        if other is not None and other.call_id != call_id:
            return False
        self._calls[call_id] = replace(call, provider_call_id=provider_call_id)
        return True

    async def of_provider(self, provider: Provider, provider_call_id: str) -> Call | None:
        self._require_up()
        named = (provider, provider_call_id)
        found = (c for c in self._calls.values() if provider_call_id and (c.provider, c.provider_call_id) == named)
        return next((replace(call, turns=()) for call in found), None)

    async def of_id(self, call_id: str) -> Call | None:
        self._require_up()
        call = self._calls.get(call_id)
        return replace(call, turns=()) if call else None

    async def unended(self, *, ringing: datetime, running: datetime, limit: int = 100) -> list[Call]:
        self._require_up()
        found = [
            c
            for c in self._calls.values()
            if not c.state.is_end and c.started_at < (running if c.state is CallState.IN_PROGRESS else ringing)
        ]
        return [replace(call, turns=()) for call in sorted(found, key=lambda call: call.started_at)[:limit]]

    async def save_turn(self, tenant_id: str, call_id: str, turn: Turn) -> None:
        call = self._known(tenant_id, call_id)
        turns = {saved.number: saved for saved in call.turns} | {turn.number: turn}
        self._calls[call_id] = replace(call, turns=tuple(turns[number] for number in sorted(turns)))

    async def save_recording(self, tenant_id: str, call_id: str, recording: Recording) -> None:
        self._calls[call_id] = replace(self._known(tenant_id, call_id), recording=recording)

    async def save_provider_recording(self, tenant_id: str, call_id: str, recording: ProviderRecording) -> None:
        call = self._known(tenant_id, call_id)
        known = {one.name: one for one in call.provider_recordings}
        before = known.get(recording.name)
        if before is None or before.state not in (RecordingState.KEPT, RecordingState.ELSEWHERE):
            known[recording.name] = recording
        self._calls[call_id] = replace(call, provider_recordings=tuple(known.values()))

    async def announced_recordings(self, *, before: datetime, limit: int = 100) -> list[FetchRequest]:
        self._require_up()
        waiting = [
            FetchRequest(call.tenant_id, call.call_id, one.name)
            for call in self._calls.values()
            for one in call.provider_recordings
            if one.state is RecordingState.ANNOUNCED and datetime.now(UTC) < before
        ]
        return waiting[:limit]

    async def save_transcript(self, tenant_id: str, call_id: str, text: str) -> None:
        self._known(tenant_id, call_id)
        self.transcripts[call_id] = text

    async def get(self, tenant_id: str, call_id: str) -> Call | None:
        return self._of(tenant_id, call_id)

    async def find(
        self,
        tenant_id: str,
        *,
        provider_call_id: str | None = None,
        state: CallState | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Call]:
        self._require_up()
        if not 1 <= limit <= 200:
            raise InvalidRequest("limit", "limit is from 1 to 200")
        found = [
            replace(call, turns=())
            for call in self._calls.values()
            if call.tenant_id == tenant_id
            and (provider_call_id is None or call.provider_call_id == provider_call_id)
            and (state is None or call.state is state)
            and (before is None or call.started_at < before)
        ]
        return sorted(found, key=lambda call: call.started_at, reverse=True)[:limit]

    async def ping(self) -> None:
        self._require_up()

    def _of(self, tenant_id: str, call_id: str) -> Call | None:
        self._require_up()
        call = self._calls.get(call_id)
        return call if call and call.tenant_id == tenant_id else None

    def _known(self, tenant_id: str, call_id: str) -> Call:
        call = self._of(tenant_id, call_id)
        if call is None:
            raise NotFound("call_unknown", "there is no such call")
        return call

    def _require_up(self) -> None:
        if self.down:
            raise StoreError("fake_down", "the database is down", retryable=True)


class FakeDirectory:
    """Fills the port `Directory`. `numbers` maps numbers to agents, `lines` to lines where it is not the provider's
    first; the oldest agent of a tenant comes first.
    """

    def __init__(self, *agents: Agent, numbers: dict[str, Agent] | None = None) -> None:
        self.agents = list(agents)
        self.numbers = numbers or {}
        self.lines: dict[str, Line] = {}

    async def route(self, provider: Provider, number: str) -> Route | None:
        line = self.lines.get(number, Line(provider.value))
        if number not in self.numbers or line.provider is not provider:
            return None
        return Route(self.numbers[number], line)

    async def agent(self, tenant_id: str, agent_id: str | None, version: int = 0) -> Agent | None:
        """Of each agent there is one version."""
        of_tenant = (agent for agent in self.agents if agent.tenant_id == tenant_id)
        return next((agent for agent in of_tenant if agent_id in (None, agent.agent_id)), None)


class FakeFileStore:
    """Fills the port `FileStore`. `kept` maps names to contents."""

    container = "fake"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.content_types: dict[str, str] = {}

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        self.kept[name] = data
        self.content_types[name] = content_type

    async def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    async def append(self, name: str, data: bytes) -> None:
        if len(data) > LARGEST_APPEND_BYTES:
            raise StoreError("fake_too_large", "too much to append at once")
        if name in self.content_types:
            raise StoreError("fake_rejected", "what was put cannot be appended to")
        self.kept[name] = self.kept.get(name, b"") + data

    async def delete(self, name: str) -> None:
        self.kept.pop(name, None)
        self.content_types.pop(name, None)

    async def ping(self) -> None:
        """Always ready."""
