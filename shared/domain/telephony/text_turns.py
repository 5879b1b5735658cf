"""A turn of a line that carries text by requests: what the provider is to say, and what comes then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.telephony.commands import Transfer


class Next(StrEnum):
    LISTEN = "listen"
    """The answer is whole: say it, then ask the caller."""
    COME_AGAIN = "come_again"
    """The answer is not whole yet: say what there is, and ask us for the rest of this turn."""
    TRANSFER = "transfer"
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True)
class TextReply:
    """`turn`: of which this is the answer (0 is the greeting); `told`: how many of its sentences the caller has been
    given with this reply and those before it.
    """

    turn: int
    sentences: tuple[str, ...]
    told: int
    next: Next
    language: str
    voice: str
    transfer: Transfer | None = None
    is_interruptible: bool = True
    """Whether the caller may speak into it."""

    @property
    def text(self) -> str:
        return " ".join(self.sentences)
