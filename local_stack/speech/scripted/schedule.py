"""Waiting for absolute moments, so that delays never add up, and the faults that may come instead."""

from __future__ import annotations

import asyncio

from local_stack.speech.errors import ApiError, CutStream
from local_stack.speech.scripted.script import Fault

_STATUSES = {"http_500": 500, "http_429": 429}


async def until(moment_s: float) -> None:
    """Return at `moment_s` of the event loop's clock, at once when that has passed."""
    remaining_s = moment_s - asyncio.get_running_loop().time()
    if remaining_s > 0:
        await asyncio.sleep(remaining_s)


async def before_answer(fault: Fault | None) -> None:
    """Raise the fault if it is one of those that leave no answer."""
    if fault is not None and fault.kind in _STATUSES:
        raise ApiError(_STATUSES[fault.kind], "this fault was ordered", code=fault.kind)


async def before_piece(fault: Fault | None, index: int) -> float:
    """Act on the fault that is due before piece `index`; gives the milliseconds by which all else moves."""
    if fault is None or fault.at != index:
        return 0.0
    if fault.kind == "cut":
        raise CutStream
    if fault.kind == "stall":
        await asyncio.sleep(fault.ms / 1000)
        return fault.ms
    return 0.0
