"""The ways in which AWS, or whoever stands between, differs from a good day, one name each."""

from __future__ import annotations

from enum import StrEnum


class Misbehaviour(StrEnum):
    ASKS_TWICE = "asks-twice"
    """The flow's function is invoked twice for each turn, the second time while the first still runs."""
    LEX_ASKS_TWICE = "lex-asks-twice"
    """The bot asks for the fulfilment of an utterance whose dialog it has asked for already."""
    THROTTLED = "throttled"
    """The first invocation of each block is throttled, and tried again."""
    EVENTS_TWICE = "events-twice"
    EVENTS_REORDERED = "events-reordered"
    """Contact events come in the opposite order, all after the call."""
    EVENTS_LOST = "events-lost"
    FORGED_REQUEST = "forged-request"
    """Somebody else asks the app about the contact: unsigned, wrongly signed, too late, once more to the byte, or
    signed for another instance."""
    WITHHELD_NUMBER = "withheld-number"
    """The contact has no endpoint of its customer."""
    SOUND_WITH_GAPS = "sound-with-gaps"
    """Of its video stream the fragments in which nobody is heard are missing."""
    SOUND_BREAKS_OFF = "sound-breaks-off"
    """Whoever follows its video stream is cut off after some fragments, in the middle of one, and may ask again."""
    DIAL_ANSWER_LOST = "dial-answer-lost"
    """The contact begins, and whoever asked for it gets no answer to the first request with its token."""
    NEVER_SPEAKS = "never-speaks"
    HANGS_UP_IN_REPLY = "hangs-up-in-reply"


Misbehaviours = frozenset[Misbehaviour]
HANG_UP_IN_REPLY_AFTER_MS = 500
