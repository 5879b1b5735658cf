"""Where a call to a number goes."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.call import Agent
from shared.domain.errors import Forbidden, InvalidRequest
from shared.domain.telephony.commands import is_e164
from shared.domain.telephony.lines import Line, Provider


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
        _require_number(self.number)
        if self.line is Line.WEB:
            raise InvalidRequest("line", "a number is on a line of a telephone provider")


@dataclass(frozen=True, slots=True)
class Allotment:
    """Whose a number is at a provider, whether or not anybody answers on it: E.164 with `+`."""

    provider: Provider
    number: str
    tenant_id: str

    def __post_init__(self) -> None:
        """Raises: InvalidRequest."""
        _require_number(self.number)
        if self.provider is Provider.WEB:
            raise InvalidRequest("provider", "a number is at a telephone provider")


def not_allotted() -> Forbidden:
    """Said in the same words of numbers that are another tenant's and that are nobody's."""
    return Forbidden(
        "number_not_allotted",
        "this number is not allotted to your tenant; where an installation has several tenants, whoever runs it"
        " allots numbers first: by PUT /api/number-allotments/{provider}/{number} with the role platform, or in the"
        " file of python -m infra.database seed",
    )


def _require_number(number: str) -> None:
    if not is_e164(number):
        raise InvalidRequest("number_malformed", "a number is in E.164, with +")
