"""Where a call to a number goes."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.call import Agent
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import is_e164
from shared.domain.telephony.lines import Line


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers on a number, and in which of its provider's modes."""

    agent: Agent
    line: Line


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a tenant at a provider, as it is set up: E.164 with `+`."""

    number: str
    line: Line
    agent_id: str

    def __post_init__(self) -> None:
        """Raises: InvalidRequest."""
        if not is_e164(self.number):
            raise InvalidRequest("number_malformed", "a number is in E.164, with +")
        if self.line is Line.WEB:
            raise InvalidRequest("line", "a number is on a line of a telephone provider")
