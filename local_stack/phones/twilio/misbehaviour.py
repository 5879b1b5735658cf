"""The ways in which a caller, an attacker or a broken line differs from a good call, one name each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from local_stack.phones import g711
from local_stack.phones.conversation import Plan
from local_stack.phones.twilio.messages import MEDIA_FORMAT, StreamWriter
from local_stack.phones.twilio.signature import Signing
from local_stack.phones.utterance import Utterance, without_end

INJECTED_AT_FRAME: Final = 50
"""What breaks the stream comes one second after its start."""
HUGE_MESSAGE_CHARS: Final = 2 * 1024 * 1024
ENDLESS_SPEECH_SECONDS: Final = 40.0
HANG_UP_IN_REPLY_AFTER_MS: Final = 500
_EARLY_FRAMES: Final = 10
_LATE_FRAMES: Final = 10
_WRONG_FORMAT: Final = {"encoding": "audio/x-l16", "sampleRate": 16000, "channels": 2}


class Misbehaviour(StrEnum):
    NO_SIGNATURE = "no-signature"
    """The voice webhook bears no signature."""
    WRONG_SIGNATURE = "wrong-signature"
    NO_SOCKET_SIGNATURE = "no-socket-signature"
    WRONG_SOCKET_SIGNATURE = "wrong-socket-signature"
    REPLAYED_WEBHOOK = "replayed-webhook"
    """The voice webhook comes a second time, to the byte."""
    REPEATED_WEBHOOKS = "repeated-webhooks"
    """Every request for TwiML comes twice, as after an answer that was lost; the second answer counts."""
    NO_TICKET = "no-ticket"
    """`start` bears no custom parameters."""
    USED_TICKET = "used-ticket"
    """A second socket, well signed, starts with the custom parameters of the first."""
    FRAMES_BEFORE_START = "frames-before-start"
    BROKEN_BASE64 = "broken-base64"
    WRONG_MEDIA_FORMAT = "wrong-media-format"
    FRAMES_AFTER_STOP = "frames-after-stop"
    NOT_JSON = "not-json"
    HUGE_MESSAGE = "huge-message"
    NEVER_SPEAKS = "never-speaks"
    NEVER_STOPS_SPEAKING = "never-stops-speaking"
    VANISHES = "vanishes"
    """The TCP connection is aborted in the middle of the first utterance; no callback follows."""
    HANGS_UP_IN_REPLY = "hangs-up-in-reply"
    SHARED_KEY = "shared-key"
    """Requests are signed with a shared key and SHA-256, as an account can be set to; not an offence."""
    FOREIGN_ACCOUNT = "foreign-account"
    """The requests are another customer's, signed with its secret."""
    DUPLICATE_CALLBACKS = "duplicate-callbacks"
    """Each callback comes twice, to the byte."""
    REORDERED_CALLBACKS = "reordered-callbacks"
    """Of two status callbacks the later one comes first."""
    LATE_CALLBACKS = "late-callbacks"
    """Each callback comes two seconds after what it tells of."""
    LOST_CALLBACKS = "lost-callbacks"
    """The end of the call is never told."""
    SOCKET_DROPS = "socket-drops"
    """The socket of a stream or a relay is aborted in the middle of the first reply, once; the call goes on."""


Misbehaviours = frozenset[Misbehaviour]


def known_misbehaviours(names: frozenset[str]) -> Misbehaviours:
    """Those of the names that mean something to this carrier; a person may be called by others too."""
    known = set(map(str, Misbehaviour))
    return frozenset(Misbehaviour(name) for name in names if name in known)


def behaviour_of(plan: Plan, said: Sequence[Utterance], ways: Misbehaviours) -> tuple[Plan, Sequence[Utterance]]:
    """The plan and the utterances of a caller who behaves in these ways."""
    if Misbehaviour.NEVER_SPEAKS in ways:
        plan = replace(plan, speaks=False)
    if Misbehaviour.HANGS_UP_IN_REPLY in ways:
        plan = replace(plan, hang_up_in_reply_after_ms=HANG_UP_IN_REPLY_AFTER_MS)
    if Misbehaviour.NEVER_STOPS_SPEAKING in ways and said:
        plan, said = replace(plan, turns=1), (without_end(tuple(said), ENDLESS_SPEECH_SECONDS),)
    return plan, said


def socket_signing(ways: Misbehaviours) -> Signing:
    """How the upgrade to a WebSocket is signed."""
    if Misbehaviour.NO_SOCKET_SIGNATURE in ways:
        return Signing.NONE
    return Signing.WRONG if Misbehaviour.WRONG_SOCKET_SIGNATURE in ways else Signing.VALID


def opening_messages(writer: StreamWriter, parameters: Mapping[str, str], ways: Misbehaviours) -> list[str]:
    """`connected` and `start`, with what goes wrong around them."""
    media_format: Mapping[str, Any] = MEDIA_FORMAT
    if Misbehaviour.WRONG_MEDIA_FORMAT in ways:
        media_format = _WRONG_FORMAT
    if Misbehaviour.NO_TICKET in ways:
        parameters = {}
    early: list[str] = []
    if Misbehaviour.FRAMES_BEFORE_START in ways:
        early = [writer.media(g711.SILENT_FRAME) for _ in range(_EARLY_FRAMES)]
    return [writer.connected(), *early, writer.start(parameters, media_format)]


def injected_messages(writer: StreamWriter, frame: int, ways: Misbehaviours) -> list[str]:
    """What is sent besides the frame of this number."""
    if frame != INJECTED_AT_FRAME:
        return []
    messages = []
    if Misbehaviour.BROKEN_BASE64 in ways:
        messages.append(writer.media_of_payload("%%% this is not base64 %%%"))
    if Misbehaviour.NOT_JSON in ways:
        messages.append("this is not JSON {")
    if Misbehaviour.HUGE_MESSAGE in ways:
        messages.append(writer.media_of_payload("/" * HUGE_MESSAGE_CHARS))
    return messages


def closing_messages(writer: StreamWriter, ways: Misbehaviours) -> list[str]:
    """`stop`, and what must not come after it."""
    late: list[str] = []
    messages = [writer.stop()]
    if Misbehaviour.FRAMES_AFTER_STOP in ways:
        late = [writer.media(g711.SILENT_FRAME) for _ in range(_LATE_FRAMES)]
    return messages + late
