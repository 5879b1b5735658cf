"""What persons are told before a caller is put through to them: kept by us, for addresses are written into logs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from shared.adapters.vonage.own_links import OwnLinks
from shared.domain.errors import Unauthenticated
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.ports.clock import Clock
from shared.ports.short_memory import ShortMemory

LIFETIME_S = 600
"""What is said before the transfer, and the longest ringing."""


@dataclass(frozen=True, slots=True)
class Whisper:
    text: str
    language: str


class Whispers:
    """By an id that says nothing, in an address that is sealed and holds for a while."""

    def __init__(self, memory: ShortMemory, links: OwnLinks, clock: Clock) -> None:
        self._memory = memory
        self._links = links
        self._clock = clock

    async def keep(self, transfer: Transfer | None) -> str:
        """The address at which Vonage asks for it; empty where nothing is whispered. Raises: StoreError."""
        if transfer is None or transfer.kind is not TransferKind.WARM or not transfer.whisper:
            return ""
        whisper_id = secrets.token_urlsafe(24)
        facts = {"text": transfer.whisper, "language": transfer.language}
        await self._memory.note(_name(whisper_id), facts, lifetime_s=LIFETIME_S)
        return self._links.whisper(whisper_id, until_s=int(self._now_s()) + LIFETIME_S)

    async def of(self, whisper_id: str, until: str, mac: str) -> Whisper:
        """Raises: Unauthenticated where the address is not one of ours, or is old; StoreError."""
        self._links.require_whisper(whisper_id, until, mac, now_s=self._now_s())
        facts = await self._memory.facts(_name(whisper_id))
        if not facts:
            raise Unauthenticated("vonage_link", "the address does not hold any more")
        return Whisper(facts["text"], facts["language"])

    def _now_s(self) -> float:
        return self._clock.now_ms() / 1000


def _name(whisper_id: str) -> str:
    return f"vonage:whisper:{whisper_id}"
