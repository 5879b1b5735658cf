"""Telephone lines without a carrier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from local_stack.phones.call_files import LineTracks
from local_stack.phones.conversation import Conversation, Plan
from local_stack.phones.events import EventLog
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.utterance import Utterance
from tests.local_stack.phones.clocks import FastClock


def line_of(
    plan: Plan | None = None,
    utterances: Sequence[Utterance] = (),
    *,
    max_call_ms: int = 60_000,
    is_cut: Callable[[], bool] = lambda: False,
    speed: float = 8.0,
) -> PhoneLine:
    """A caller who listens, unless there is something to say."""
    clock = FastClock(speed)
    log = EventLog(clock.wall_ms)

    def tell(name: str, at_ms: float, facts: dict[str, object]) -> None:
        log.add(name, at_ms, **facts)

    conversation = Conversation(plan or Plan(speaks=bool(utterances)), utterances, tell)
    return PhoneLine(clock, log, conversation, LineTracks(), max_call_ms=max_call_ms, is_cut=is_cut)
