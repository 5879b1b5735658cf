"""What is noted of a caller's leg at Vonage, since its id alone does not say how to control the call."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from shared.adapters.vonage.events import is_vonage
from shared.ports.short_memory import ShortMemory


@dataclass(frozen=True, slots=True)
class LegNotes:
    """`region_url`: the API that controls this call fastest; `own_number`: ours, with its plus sign."""

    call_id: str = ""
    conversation: str = ""
    own_number: str = ""
    region_url: str = ""


class KnownLegs:
    """Notes by leg, and the leg of a call of ours."""

    def __init__(self, memory: ShortMemory) -> None:
        self._memory = memory

    async def note(self, leg: str, notes: LegNotes) -> None:
        """What is empty in `notes` says nothing. Raises: StoreError."""
        facts = {name: value for name, value in asdict(notes).items() if value}
        if not is_vonage(notes.region_url):
            facts.pop("region_url", None)
        await self._memory.note(f"vonage:leg:{leg}", facts)
        if notes.call_id:
            await self._memory.note(f"vonage:call:{notes.call_id}", {"leg": leg})

    async def of(self, leg: str) -> LegNotes:
        """Raises: StoreError."""
        facts = await self._memory.facts(f"vonage:leg:{leg}")
        return LegNotes(**{field.name: facts.get(field.name, "") for field in fields(LegNotes)})

    async def leg_of(self, call_id: str) -> str:
        """Empty where nothing has been heard of the call. Raises: StoreError."""
        return (await self._memory.facts(f"vonage:call:{call_id}")).get("leg", "")
