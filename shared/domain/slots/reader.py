"""What a caller said for a slot, read as its kind wants it: the one door to all readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from shared.domain.agents.intents import SlotKind
from shared.domain.slots.choices import read_choice
from shared.domain.slots.clock_times import read_time
from shared.domain.slots.corrections import latest_first
from shared.domain.slots.dates import read_date
from shared.domain.slots.numbers_said import read_amount, read_digits, read_number
from shared.domain.slots.person_names import read_person_name
from shared.domain.slots.phone_numbers import read_phone_number
from shared.domain.slots.reading import Context, Reading, Why, none, one
from shared.domain.slots.spelled import read_spelled

LONGEST_CHARACTERS = 500
"""So much of what was said is read; nobody needs more for one value."""


def _read_text(said: str, _: Context) -> Reading:
    text = " ".join(said.split())
    return one(text) if text else none(Why.NOTHING)


READERS: Mapping[SlotKind, Callable[[str, Context], Reading]] = MappingProxyType(
    {
        SlotKind.TEXT: _read_text,
        SlotKind.PERSON_NAME: read_person_name,
        SlotKind.DATE: read_date,
        SlotKind.TIME: read_time,
        SlotKind.PHONE_NUMBER: read_phone_number,
        SlotKind.AMOUNT: read_amount,
        SlotKind.NUMBER: read_number,
        SlotKind.DIGITS: read_digits,
        SlotKind.SPELLED: read_spelled,
        SlotKind.CHOICE: read_choice,
    }
)


def read_slot(kind: SlotKind, said: str, context: Context) -> Reading:
    """What was said, or of several things said what the caller came to in the end. Never raises."""
    said = said[:LONGEST_CHARACTERS]
    read = READERS[kind]
    if kind is SlotKind.TEXT:
        return read(said, context)
    best = none(Why.NOTHING)
    for part in latest_first(said):
        reading = read(part, context)
        if reading.value or reading.candidates or reading.why is Why.DECLINED:
            return reading
        if best.why is Why.NOTHING:
            best = reading
    return best
