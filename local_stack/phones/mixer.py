"""A room in which telephone lines hear each other: each hears the sum of all others, 20 ms at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from local_stack.phones import g711
from local_stack.phones.phone_line import FrameListener, LineFrame, PhoneLine

_MOST_WAITING: Final = 5
"""Frames of another line that may wait; lines beat at the same rate, but not at the same moment."""


@dataclass
class Member:
    """One line in the room."""

    key: str
    line: PhoneLine
    is_muted: bool = False
    """The others do not hear it."""
    is_held: bool = False
    """It is as if it were not there."""
    heard_only_by: str = ""
    """Key of the one that alone hears it; empty: all do."""
    inbox: dict[str, deque[bytes]] = field(default_factory=dict)
    listener: FrameListener | None = None

    def is_heard_by(self, other: Member) -> bool:
        if self.is_muted or self.is_held or other.is_held:
            return False
        return not self.heard_only_by or self.heard_only_by == other.key


class Mixer:
    """Lines that are joined. Who is alone hears nothing."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.is_open: Callable[[], bool] = lambda: True
        """While it is not, nobody hears anybody."""

    def join(self, member: Member) -> None:
        def listen(frame: LineFrame) -> None:
            self._pass(member, frame)

        member.listener = listen
        self.members[member.key] = member
        member.line.listeners.append(listen)

    def leave(self, key: str) -> None:
        member = self.members.pop(key, None)
        if member is None or member.listener is None:
            return
        member.line.listeners.remove(member.listener)
        for other in self.members.values():
            other.inbox.pop(key, None)

    def _pass(self, speaker: Member, frame: LineFrame) -> None:
        """The speaker's frame goes to the others; what has come from them is heard."""
        for other in self.members.values():
            if other is not speaker and self.is_open() and speaker.is_heard_by(other):
                waiting = other.inbox.setdefault(speaker.key, deque(maxlen=_MOST_WAITING))
                waiting.append(frame.said)
        arrived = [waiting.popleft() for waiting in speaker.inbox.values() if waiting]
        if arrived:
            speaker.line.play(arrived[0] if len(arrived) == 1 else _mixed(arrived))


def _mixed(frames: list[bytes]) -> bytes:
    total = np.sum([g711.decode(frame).astype(np.int32) for frame in frames], axis=0)
    return g711.encode(np.clip(total, -32768, 32767).astype(np.int16))
