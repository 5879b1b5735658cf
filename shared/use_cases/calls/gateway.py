"""A call comes by way of a provider that cannot carry sound both ways: it is told beforehand whose it is.

Amazon Connect puts a contact through to a number of ours at Twilio or Vonage. Nothing but the numbers travels with
the call, so what Connect knows of the contact waits here until the call comes in.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.domain.call import INBOUND, Call
from shared.domain.errors import NotFound, StoreError
from shared.domain.telephony.handed import Handed, Line, bounded
from shared.domain.telephony.lines import Provider
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.file_store import FileStore
from shared.ports.pipes import Pipes
from shared.ports.short_memory import ShortMemory
from shared.use_cases.calls.look_up_calls import LookUpCalls

logger = logging.getLogger(__name__)

_EXPECTED_FOR_MS = 60_000
_KEPT_WITHIN_S = 1.5
"""A carrier waits for its answer, one of them for five seconds."""
_CARRIERS = (Provider.TWILIO, Provider.VONAGE)


@dataclass(frozen=True, slots=True)
class Gateway:
    """`is_set_up`: whether there is a provider that puts calls through to us at all."""

    directory: Directory
    memory: ShortMemory
    pipes: Pipes
    files: FileStore
    call_store: CallStore
    look_up_calls: LookUpCalls
    clock: Clock
    is_set_up: bool = True

    async def expect(self, number: str, *, caller: str, system: str, handed: Handed) -> None:
        """Within a minute a call comes to `number`, which shows `caller` or the contact's other number, `system`, as
        its caller's. What is known of two contacts who would show the same number is given to neither of their calls.

        Raises: NotFound where nobody answers on that number by sound, or only another tenant than `system`'s.
        """
        tenants = await self._tenants(number, system)
        shown = tuple(one for one in (caller, system) if one)
        now_ms = self.clock.now_ms()
        facts = {
            "contact_id": handed.contact_id,
            "handed": json.dumps(bounded(handed).to_json(), ensure_ascii=False),
            "tenants": json.dumps(sorted(tenants)),
            "until_ms": f"{now_ms + _EXPECTED_FOR_MS:.0f}",
            "shown": json.dumps(shown),
        }
        for one in shown:
            before = await self.memory.facts(_expected(number, one))
            is_another = before.get("contact_id", handed.contact_id) != handed.contact_id
            is_mixed = (is_another or before.get("mixed")) and now_ms <= float(before["until_ms"])
            await self.memory.note(_expected(number, one), {**facts, "mixed": "yes" if is_mixed else ""})

    async def foretell(self, contact_id: str, number: str, context: Mapping[str, str]) -> None:
        """A contact that we talk with is put through: if that is to a number of ours, it is expected there. Raises
        nothing.
        """
        try:
            known = await self.call_store.of_provider(Provider.CONNECT, contact_id) if self.is_set_up else None
            if known is None:
                return
            ends = (known.caller, known.callee)
            caller, system = ends if known.direction == INBOUND else reversed(ends)
            handed = Handed(contact_id, caller, context)
            await self.expect(number, caller=caller, system=system, handed=handed)
        except NotFound:
            return  # a person, or somebody else's
        except StoreError as error:
            logger.warning("contact %s: who it is will not be known: %s", contact_id, error)

    async def _tenants(self, number: str, system: str) -> set[str]:
        """To whose calls it may be told. Raises: NotFound."""
        routes = [await self.directory.route(provider, number) for provider in _CARRIERS]
        tenants = {route.agent.tenant_id for route in routes if route is not None and not route.line.carries_text}
        own = await self.directory.route(Provider.CONNECT, system) if system else None
        if own is not None:
            tenants &= {own.agent.tenant_id}
        if not tenants:
            raise NotFound("gateway_unknown", "no agent of this contact's answers on this number by sound")
        return tenants

    async def claim(self, provider: Provider, call_id: str, *, tenant_id: str, caller: str, number: str) -> None:
        """A call has come in: if it was expected, what is known of it is noted with it, and with no other call. Told
        again, as after a crash, it does the same. Raises nothing.
        """
        if not self.is_set_up or provider not in _CARRIERS or not caller:
            return
        try:
            facts = await self.memory.facts(_expected(number, caller))
            is_due = bool(facts) and self.clock.now_ms() <= float(facts["until_ms"]) and not facts.get("mixed")
            if not is_due or tenant_id not in json.loads(facts.get("tenants", "[]")):
                return
            if await self._is_first(facts["contact_id"], call_id):
                await self._keep(tenant_id, call_id, Handed.from_json(json.loads(facts["handed"])))
                await self._arrived(number, facts)
                logger.info("call %s was put through by contact %s", call_id, facts["contact_id"])
        except StoreError as error:
            logger.warning("call %s: who put it through is not known: %s", call_id, error)

    async def _is_first(self, contact_id: str, call_id: str) -> bool:
        """Whether this is the call of the contact; it stays so for the same call."""
        pipe = f"gateway:{contact_id}"
        await self.pipes.append(pipe, {"call_id": call_id}, position="1-0")
        first = (await self.pipes.read(pipe))[:1]
        return any(entry.fields[b"call_id"] == call_id.encode() for entry in first)

    async def _keep(self, tenant_id: str, call_id: str, handed: Handed) -> None:
        """For the conversation, and for whoever looks at the call later."""
        said = await self._said_before(tenant_id, handed.contact_id)
        text = json.dumps(bounded(replace(handed, said=said)).to_json(), ensure_ascii=False)
        await self.memory.note(_of_call(call_id), {"tenant_id": tenant_id, "handed": text})
        try:
            async with asyncio.timeout(_KEPT_WITHIN_S):
                await self.files.put(_file_of(tenant_id, call_id), text.encode(), content_type="application/json")
        except (StoreError, TimeoutError) as error:
            logger.warning("call %s: who put it through is forgotten after it: %s", call_id, error)

    async def _said_before(self, tenant_id: str, contact_id: str) -> tuple[Line, ...]:
        """What the contact and an agent of ours have said before it was put through."""
        known = await self.call_store.of_provider(Provider.CONNECT, contact_id)
        if known is None or known.tenant_id != tenant_id:
            return ()
        turns = (await self.look_up_calls.one(tenant_id, known.call_id)).turns
        lines = [line for turn in turns for line in (Line("caller", turn.heard or ""), Line("agent", turn.said))]
        return tuple(line for line in lines if line.words)

    async def _arrived(self, number: str, facts: Mapping[str, str]) -> None:
        """It is not expected any more, and no other is mistaken for it."""
        for caller in json.loads(facts.get("shown", "[]")):
            known = await self.memory.facts(_expected(number, caller))
            if known.get("contact_id") == facts["contact_id"] and not known.get("mixed"):
                await self.memory.note(_expected(number, caller), {"until_ms": "0"})

    async def handed(self, tenant_id: str, call_id: str) -> Handed | None:
        """Who has put this running call through to us; None for one that came by itself. Raises: StoreError."""
        facts = await self.memory.facts(_of_call(call_id)) if self.is_set_up else {}
        if not facts or facts.get("tenant_id") != tenant_id:
            return None
        return Handed.from_json(json.loads(facts["handed"]))

    async def handed_of(self, call: Call) -> Handed | None:
        """The same, also of a call that is over. Raises: StoreError."""
        if not self.is_set_up or call.provider not in _CARRIERS or call.direction != INBOUND:
            return None
        known = await self.handed(call.tenant_id, call.call_id)
        if known is not None or not call.state.is_end:
            return known
        text = await self.files.get(_file_of(call.tenant_id, call.call_id))
        return None if text is None else Handed.from_json(json.loads(text))


def _expected(number: str, caller: str) -> str:
    return f"gateway:{number}:{caller}"


def _of_call(call_id: str) -> str:
    return f"handed:{call_id}"


def _file_of(tenant_id: str, call_id: str) -> str:
    return f"{tenant_id}/{call_id}/handed.json"
