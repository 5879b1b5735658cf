"""A step is done as the call's line needs it."""

from __future__ import annotations

import pytest

from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import Line
from shared.use_cases.by_line import ByLine
from tests.fakes.call import House, turn_request


@pytest.mark.parametrize("line", [None, *Line])
async def test_a_step(line: Line | None) -> None:
    house = House()
    if line is not None:
        house.line = line
        await house.ring()

    async def sound(request: TurnRequest, extra: str) -> str:
        return f"sound {request.turn} {extra}"

    async def words(request: TurnRequest, extra: str) -> str:
        return f"words {request.turn} {extra}"

    is_text = line not in (None, Line.WEB, Line.TWILIO, Line.VONAGE)
    step = ByLine(house.live_calls, sound, words)
    assert await step(turn_request(3), "x") == ("words 3 x" if is_text else "sound 3 x")
