"""A call comes by way of a provider that cannot carry sound both ways: it is told beforehand whose it is.

Amazon Connect puts a contact through to a number of ours at Twilio or Vonage. Nothing but the numbers travels with
the call, so what Connect knows of the contact waits here until the call comes in.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.errors import NotFound, StoreError
from shared.domain.telephony.lines import Provider
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.once import Once
from shared.ports.short_memory import ShortMemory

logger = logging.getLogger(__name__)

_EXPECTED_FOR_MS = 60_000
_CARRIERS = (Provider.TWILIO, Provider.VONAGE)


@dataclass(frozen=True, slots=True)
class Handed:
    """What is known of a call that was put through to us. `attributes`: as the other provider has them."""

    contact_id: str
    caller: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Gateway:
    directory: Directory
    memory: ShortMemory
    once: Once
    clock: Clock

    async def expect(self, number: str, *, shown: tuple[str, ...], handed: Handed) -> None:
        """Within a minute a call comes to `number`, which shows one of the numbers in `shown` as its caller's. What
        is known of two contacts who would show the same number is given to neither of their calls.

        Raises: NotFound where nobody answers on that number by sound.
        """
        routes = [await self.directory.route(provider, number) for provider in _CARRIERS]
        if not any(route is not None and not route.line.carries_text for route in routes):
            raise NotFound("gateway_unknown", "no agent answers on this number by sound")
        shown = tuple(caller for caller in shown if caller)
        now_ms = self.clock.now_ms()
        facts = {
            "contact_id": handed.contact_id,
            "caller": handed.caller,
            "attributes": json.dumps(dict(handed.attributes), ensure_ascii=False),
            "until_ms": f"{now_ms + _EXPECTED_FOR_MS:.0f}",
            "shown": json.dumps(shown),
        }
        for caller in shown:
            before = await self.memory.facts(_expected(number, caller))
            is_another = before.get("contact_id", handed.contact_id) != handed.contact_id
            is_mixed = (is_another or before.get("mixed")) and now_ms <= float(before["until_ms"])
            await self.memory.note(_expected(number, caller), {**facts, "mixed": "yes" if is_mixed else ""})

    async def claim(self, provider: Provider, call_id: str, *, caller: str, number: str) -> None:
        """A call has come in: if it was expected, what is known of it is noted with it, once. Raises nothing."""
        if provider not in _CARRIERS or not caller:
            return
        try:
            facts = await self.memory.facts(_expected(number, caller))
            if not facts or self.clock.now_ms() > float(facts["until_ms"]) or facts.get("mixed"):
                return
            taken = f"gateway:{facts['contact_id']}"
            if await self.once.take(taken, lifetime_s=_EXPECTED_FOR_MS // 1000):
                await self.memory.note(_of_call(call_id), facts)
                await self._arrived(number, facts)
                logger.info("call %s was put through by contact %s", call_id, facts["contact_id"])
        except StoreError as error:
            logger.warning("call %s: who put it through is not known: %s", call_id, error)

    async def _arrived(self, number: str, facts: Mapping[str, str]) -> None:
        """It is not expected any more, and no other is mistaken for it."""
        for caller in json.loads(facts.get("shown", "[]")):
            known = await self.memory.facts(_expected(number, caller))
            if known.get("contact_id") == facts["contact_id"] and not known.get("mixed"):
                await self.memory.note(_expected(number, caller), {"until_ms": "0"})

    async def handed(self, call_id: str) -> Handed | None:
        """Who put this call through to us; None for one that came by itself."""
        facts = await self.memory.facts(_of_call(call_id))
        if not facts:
            return None
        return Handed(facts["contact_id"], facts["caller"], json.loads(facts["attributes"]))


def _expected(number: str, caller: str) -> str:
    return f"gateway:{number}:{caller}"


def _of_call(call_id: str) -> str:
    return f"handed:{call_id}"
