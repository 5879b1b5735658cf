"""The ways in which a call can be told to misbehave."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from local_stack.phones.vonage.signing import Signing


class Misbehaviour(StrEnum):
    NO_SIGNATURE = "no_signature"
    WRONG_SIGNATURE = "wrong_signature"
    OLD_SIGNATURE = "old_signature"
    FOREIGN_APPLICATION = "foreign_application"
    OTHER_BODY = "other_body"
    """All of the first request, the one for the call's first NCCO."""
    REPLAYED_WEBHOOK = "replayed_webhook"
    """The first request is sent again to the byte by somebody who has overheard it."""
    GET_ANSWER = "get_answer"
    """The first request is a GET, as an application is set up that nobody has changed."""
    DUPLICATE_EVENTS = "duplicate_events"
    """Each with a signature of its own."""
    REORDERED_EVENTS = "reordered_events"
    LATE_EVENTS = "late_events"
    LOST_EVENTS = "lost_events"
    """The end of the call is never told."""
    NO_TICKET = "no_ticket"
    BARE_SOCKET = "bare_socket"
    """The socket brings no token."""
    WRONG_RATE = "wrong_rate"
    """The socket is told of 8 kHz and gets such frames, whatever the app asked for."""
    TORN_FRAME = "torn_frame"
    """One frame of the caller is half as long."""
    NOT_JSON = "not_json"
    VANISHES = "vanishes"
    """The socket breaks in the middle of the caller's first sentence, without a closing handshake."""


Misbehaviours = frozenset[Misbehaviour]

ONCE: Final = frozenset({Misbehaviour.VANISHES, Misbehaviour.TORN_FRAME, Misbehaviour.NOT_JSON})
"""What only the first socket of a call does."""

SIGNINGS: Final[Mapping[Misbehaviour, Signing]] = {
    Misbehaviour.NO_SIGNATURE: Signing.NONE,
    Misbehaviour.WRONG_SIGNATURE: Signing.WRONG,
    Misbehaviour.OLD_SIGNATURE: Signing.OLD,
    Misbehaviour.FOREIGN_APPLICATION: Signing.FOREIGN,
    Misbehaviour.OTHER_BODY: Signing.OTHER_BODY,
}


def signing_of(ways: Misbehaviours) -> Signing:
    return next((signing for way, signing in SIGNINGS.items() if way in ways), Signing.VALID)
