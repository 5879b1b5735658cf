"""What is said while an answer is late, on a line whose provider has a voice of its own."""

from __future__ import annotations

import zlib

from shared.domain.call import Agent
from shared.domain.fillers import fillers_of
from shared.ports.live_calls import LiveCalls


async def next_filler(live_calls: LiveCalls, agent: Agent, call_id: str) -> str:
    """The next filler of the call, "" where the agent has none: each comes once before any comes again, and never one
    twice in a row. Raises: StoreError.
    """
    phrases = fillers_of(agent)
    if not phrases:
        return ""
    drawn = await live_calls.draw(call_id, "fillers")
    if drawn and len(phrases) == 1:
        return ""
    return phrases[(zlib.crc32(call_id.encode()) + drawn) % len(phrases)]
