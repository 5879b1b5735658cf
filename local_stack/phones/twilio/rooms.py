"""Conferences: rooms with a name in which calls hear each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from local_stack.phones.mixer import Member, Mixer
from local_stack.phones.tones import tone
from local_stack.phones.twilio.account import new_sid
from local_stack.phones.twilio.verbs import Callback

_ENTERS_HZ: Final = 440.0
_LEAVES_HZ: Final = 330.0
_BEEP_MS: Final = 200


@dataclass
class Participant:
    """A call in a room. Its member's key is its call's SID."""

    member: Member
    label: str = ""
    starts_room: bool = True
    ends_room: bool = False
    is_sent_away: bool = False
    """The app has put it out of the room."""
    beeps_on_exit: bool = False
    tell: Callable[[str], None] = lambda _event: None
    """Tells the app, if it wants to know, what happens to it: `participant-mute` and so on."""

    @property
    def call_sid(self) -> str:
        return self.member.key


@dataclass
class Room:
    """One conference; it is over when the last one leaves, or one that ends it, or when the app ends it."""

    name: str
    account_sid: str
    created_ms: float
    sid: str = field(default_factory=lambda: new_sid("CF"))
    status: str = "init"
    ended_ms: float | None = None
    reason: str = ""
    ended_by: Participant | None = None
    """Whose leaving was the end."""
    callback: Callback | None = None
    """Of the first that came in and had one."""
    sequence: int = 0
    participants: dict[str, Participant] = field(default_factory=dict)
    mixer: Mixer = field(default_factory=Mixer)

    def __post_init__(self) -> None:
        self.mixer.is_open = lambda: self.has_begun

    @property
    def has_begun(self) -> bool:
        return self.status == "in-progress"

    @property
    def is_over(self) -> bool:
        return self.status == "completed"

    def enter(self, participant: Participant, beeps: bool) -> bool:
        """True if the conference begins with it."""
        self.participants[participant.call_sid] = participant
        if beeps:
            self._beep(_ENTERS_HZ)
        self.mixer.join(participant.member)
        enough = len(self.participants) > 1 and any(one.starts_room for one in self.participants.values())
        begins = self.status == "init" and enough
        if begins:
            self.status = "in-progress"
        return begins

    def leave(self, participant: Participant, now_ms: float) -> bool:
        """True if the conference ends with it."""
        self.mixer.leave(participant.call_sid)
        self.participants.pop(participant.call_sid, None)
        if self.is_over:
            return not self.participants
        how = "kicked" if participant.is_sent_away else "left"
        if participant.ends_room:
            self.ended_by = participant
            self.end(now_ms, f"participant-with-end-conference-on-exit-{how}")
        elif not self.participants:
            self.ended_by = participant
            self.end(now_ms, f"last-participant-{how}")
        elif participant.beeps_on_exit:
            self._beep(_LEAVES_HZ)
        return not self.participants

    def _beep(self, hz: float) -> None:
        """All that are in the room hear it."""
        for other in self.mixer.members.values():
            other.line.play(tone(_BEEP_MS, hz))

    def end(self, now_ms: float, reason: str) -> None:
        if not self.is_over:
            self.status, self.ended_ms, self.reason = "completed", now_ms, reason


class Rooms:
    """All conferences, by SID; a name leads to the one that is not over."""

    def __init__(self) -> None:
        self.by_sid: dict[str, Room] = {}

    def find(self, account_sid: str, sid_or_name: str) -> Room | None:
        """By SID, or the one of this name that is not over."""
        for room in reversed(self.by_sid.values()):
            is_named = room.name == sid_or_name and not room.is_over
            if room.account_sid == account_sid and (room.sid == sid_or_name or is_named):
                return room
        return None

    def open(self, account_sid: str, name: str, now_ms: float) -> Room:
        """The room of this name; made if there is none."""
        found = self.find(account_sid, name)
        if found is None or found.is_over:
            found = Room(name, account_sid, now_ms)
            self.by_sid[found.sid] = found
        return found
