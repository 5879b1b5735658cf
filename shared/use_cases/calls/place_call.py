"""An outbound call is asked for: check whether it may be made, write it down, and leave it to the engine to dial."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from shared.domain.call import OUTBOUND, Call
from shared.domain.errors import Conflict, Forbidden, InvalidRequest, NotFound, StoreError
from shared.domain.steps import CallRequest
from shared.domain.telephony.commands import Voicemail, is_e164
from shared.domain.telephony.lines import Capability, Line, Provider, require
from shared.domain.telephony.outbound import Allowance, Attempt, AttemptState
from shared.domain.telephony.progress import CallState
from shared.ports.call_control import CallControl
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.numbers import Numbers
from shared.ports.orchestrations import Orchestrations
from shared.ports.outbound_calls import OutboundCalls

_RESERVING = 8
"""So often another call may be quicker before we give up."""
_LONGEST_MESSAGE = 1000
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """Call `to` from our number `caller_id`, with this agent; E.164, with `+`.

    `line`: another mode of the provider than the number's own, or which provider, where several have the number.
    """

    to: str
    agent_id: str
    caller_id: str
    line: Line | None = None
    voicemail: Voicemail = Voicemail.IGNORE
    message: str = ""

    def __post_init__(self) -> None:
        """Raises: InvalidRequest."""
        if not is_e164(self.to) or not is_e164(self.caller_id):
            raise InvalidRequest("number_malformed", "to and caller_id are in E.164, with +")
        if len(self.message) > _LONGEST_MESSAGE:
            raise InvalidRequest("message", f"a message has at most {_LONGEST_MESSAGE} characters")
        if (self.voicemail is Voicemail.LEAVE_MESSAGE) != bool(self.message.strip()):
            raise InvalidRequest("message", "a message goes with voicemail: leave_message, and is needed there")

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PlaceCall:
    directory: Directory
    numbers: Numbers
    outbound_calls: OutboundCalls
    controls: Mapping[Provider, CallControl]
    clock: Clock

    async def __call__(
        self, tenant_id: str, wish: Wish, orchestrations: Orchestrations, *, idempotency_key: str = ""
    ) -> str:
        """Gives the id of the call, which is dialled at most once, and soon.

        The same key with the same wish gives the same call. Raises: InvalidRequest, NotFound, Unsupported, Forbidden
        for whom and when, Conflict for how many, how much, and a key that was used for another wish.
        """
        if len(idempotency_key) > _LONGEST_KEY:
            raise InvalidRequest("idempotency_key", f"an idempotency key has at most {_LONGEST_KEY} characters")
        for _ in range(_RESERVING):
            attempt = await self._known(tenant_id, wish, idempotency_key)
            attempt = attempt or await self._reserved(tenant_id, wish, idempotency_key)
            if attempt is not None:
                if attempt.state is AttemptState.PLANNED:
                    await orchestrations.start_dial(CallRequest(tenant_id, attempt.call_id))
                return attempt.call_id
        raise StoreError("reservation_busy", "too many calls are placed at the same moment", retryable=True)

    async def _known(self, tenant_id: str, wish: Wish, idempotency_key: str) -> Attempt | None:
        attempt = await self.outbound_calls.by_key(tenant_id, idempotency_key) if idempotency_key else None
        if attempt is not None and attempt.fingerprint != wish.fingerprint:
            raise Conflict("idempotency_key_reused", "this idempotency key was used for another call")
        return attempt

    async def _reserved(self, tenant_id: str, wish: Wish, idempotency_key: str) -> Attempt | None:
        """A new attempt, on record; None if another was made meanwhile."""
        agent = await self.directory.agent(tenant_id, wish.agent_id)
        if agent is None:
            raise NotFound("agent_unknown", "there is no such agent")
        line = await self._line(tenant_id, wish)
        now = self.clock.now()
        policy, usage = await self.outbound_calls.standing(tenant_id, now)
        allowance = policy.allow(wish.to, now, usage)
        call = Call(
            call_id=str(uuid.uuid4()),
            tenant_id=tenant_id,
            agent_id=wish.agent_id,
            agent_version=agent.version,
            provider=line.provider,
            provider_call_id="",
            line=line,
            direction=OUTBOUND,
            caller=wish.caller_id,
            callee=wish.to,
            state=CallState.CREATED,
            started_at=now,
            language=agent.language,
        )
        attempt = _attempt(call, wish, allowance, idempotency_key)
        return attempt if await self.outbound_calls.reserve(call, attempt, usage) else None

    async def _line(self, tenant_id: str, wish: Wish) -> Line:
        ours = [number for number in await self.numbers.all(tenant_id) if number.number == wish.caller_id]
        if wish.line is not None:
            ours = [number for number in ours if number.line.provider is wish.line.provider]
        if not ours:
            raise Forbidden("caller_id_not_yours", "calls are placed from numbers of your own, at their provider")
        if len(ours) > 1:
            raise InvalidRequest("line", "several providers have this number; name the line")
        line = wish.line or ours[0].line
        require(line, Capability.OUTBOUND)
        if wish.voicemail is not Voicemail.IGNORE:
            require(line, Capability.VOICEMAIL_DETECTION)
        control = self.controls.get(line.provider)
        if control is None or Capability.OUTBOUND not in control.capabilities:
            raise InvalidRequest("provider_not_set_up", f"{line.provider} places no calls here")
        return line


def _attempt(call: Call, wish: Wish, allowance: Allowance, idempotency_key: str) -> Attempt:
    return Attempt(
        attempt_id=str(uuid.uuid4()),
        tenant_id=call.tenant_id,
        call_id=call.call_id,
        fingerprint=wish.fingerprint,
        allowance=allowance,
        idempotency_key=idempotency_key,
        voicemail=wish.voicemail,
        message=wish.message.strip(),
    )
