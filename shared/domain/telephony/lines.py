"""The ways by which a conversation can run, and what each of them can do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.domain.errors import InvalidRequest


class Provider(StrEnum):
    """The way by which a caller reached us."""

    TWILIO = "twilio"
    VONAGE = "vonage"
    CONNECT = "connect"
    SARVAM = "sarvam"
    WEB = "web"


class Line(StrEnum):
    """A provider's mode. What a caller hears and says passes as audio, as text, or as one text a request."""

    WEB = "web"
    TWILIO = "twilio"
    TWILIO_RELAY = "twilio-relay"
    TWILIO_GATHER = "twilio-gather"
    VONAGE = "vonage"
    VONAGE_INPUT = "vonage-input"
    CONNECT = "connect"
    CONNECT_LEX = "connect-lex"
    SARVAM = "sarvam"

    @property
    def provider(self) -> Provider:
        return Provider(self.value.partition("-")[0])

    @property
    def carries_text(self) -> bool:
        """Whether the provider hears and speaks itself, so that words come in and go out."""
        return Capability.AUDIO not in CAPABILITIES[self]

    @property
    def transfers_with_answers(self) -> bool:
        """Whether a transfer can be told with the answer to a request alone: once that has gone out it waits for the
        caller's next words.
        """
        return self.provider in (Provider.CONNECT, Provider.SARVAM)


class Capability(StrEnum):
    AUDIO = "audio"
    """The caller's sound comes to us, and ours goes to the caller."""
    TEXT_STREAM = "text stream"
    """Words come in and go out over a socket."""
    TEXT_TURNS = "text turns"
    """Words come in with a request and go out with its answer."""
    LIVE_LISTENING = "live listening"
    """The sound of both sides can be followed, one way."""
    INTERRUPTION = "interruption"
    """The caller can interrupt, and what waits to be played is thrown away."""
    HEARD_WORDS = "heard words"
    """It tells how much of an answer was played."""
    KEYS_IN = "keys in"
    KEYS_OUT = "keys out"
    HANG_UP = "hang up"
    COLD_TRANSFER = "cold transfer"
    WARM_TRANSFER = "warm transfer"
    OUTBOUND = "outbound"
    IDEMPOTENT_DIAL = "idempotent dial"
    RECORDING = "recording by the provider"
    VOICEMAIL_DETECTION = "voicemail detection"
    LANGUAGE_SWITCH = "language switch"
    """In mid-call, of the hearing and of the voice."""


_C = Capability
_TELEPHONE = frozenset({_C.HANG_UP, _C.COLD_TRANSFER, _C.WARM_TRANSFER, _C.OUTBOUND, _C.RECORDING})
_TWILIO = _TELEPHONE | {_C.KEYS_IN, _C.KEYS_OUT, _C.VOICEMAIL_DETECTION, _C.LANGUAGE_SWITCH}
_VONAGE = _TWILIO
_CONNECT = frozenset(
    {_C.TEXT_TURNS, _C.KEYS_IN, _C.HANG_UP, _C.COLD_TRANSFER, _C.OUTBOUND, _C.IDEMPOTENT_DIAL, _C.RECORDING}
    | {_C.LIVE_LISTENING, _C.LANGUAGE_SWITCH, _C.INTERRUPTION}
)

CAPABILITIES: Mapping[Line, frozenset[Capability]] = {
    Line.WEB: frozenset({_C.AUDIO, _C.INTERRUPTION, _C.HEARD_WORDS, _C.HANG_UP, _C.LANGUAGE_SWITCH}),
    Line.TWILIO: _TWILIO | {_C.AUDIO, _C.INTERRUPTION, _C.HEARD_WORDS},
    Line.TWILIO_RELAY: _TWILIO | {_C.TEXT_STREAM, _C.INTERRUPTION, _C.HEARD_WORDS},
    Line.TWILIO_GATHER: _TWILIO | {_C.TEXT_TURNS, _C.INTERRUPTION},
    Line.VONAGE: _VONAGE | {_C.AUDIO, _C.INTERRUPTION, _C.HEARD_WORDS},
    Line.VONAGE_INPUT: _VONAGE | {_C.TEXT_TURNS, _C.INTERRUPTION},
    Line.CONNECT: _CONNECT,
    Line.CONNECT_LEX: _CONNECT,
    Line.SARVAM: frozenset(
        {_C.TEXT_TURNS, _C.INTERRUPTION, _C.OUTBOUND, _C.LANGUAGE_SWITCH, _C.HANG_UP, _C.COLD_TRANSFER}
    ),
}
"""Source: the providers' own documents, as each adapter names them."""

_ALTERNATIVES: Mapping[tuple[Provider, Capability], str] = {
    (Provider.CONNECT, _C.AUDIO): "transfer the call to a Twilio or Vonage number of the same agent",
    (Provider.CONNECT, _C.KEYS_OUT): "give the keys with the transfer; Connect plays them after the answer",
    (Provider.CONNECT, _C.WARM_TRANSFER): "a cold transfer; the flow's whisper block tells the person who calls",
    (Provider.CONNECT, _C.VOICEMAIL_DETECTION): "a campaign of Connect, whose traffic alone may be classified",
    (Provider.SARVAM, _C.WARM_TRANSFER): "a cold transfer, by the Samvaad agent's own tool",
    (Provider.SARVAM, _C.RECORDING): "the recording that Samvaad keeps, by its analytics API",
    (Provider.SARVAM, _C.KEYS_OUT): "a call over a Twilio or Vonage number of the same agent",
    (Provider.SARVAM, _C.VOICEMAIL_DETECTION): "a call over a Twilio or Vonage number of the same agent",
    (Provider.WEB, _C.COLD_TRANSFER): "a number that the page shows, or a call back",
    (Provider.WEB, _C.WARM_TRANSFER): "a number that the page shows, or a call back",
    (Provider.WEB, _C.KEYS_OUT): "a call over a telephone number of the same agent",
    (Provider.WEB, _C.RECORDING): "our own recording of the call",
    (Provider.WEB, _C.VOICEMAIL_DETECTION): "a call over a telephone number of the same agent",
    (Provider.WEB, _C.OUTBOUND): "a push message by which the app opens the page",
}


class Unsupported(InvalidRequest):
    """A command that this line cannot carry out, said before anything is done about it."""

    def __init__(self, line: Line, capability: Capability) -> None:
        self.line, self.capability = line, capability
        self.alternative = _ALTERNATIVES.get((line.provider, capability), "")
        instead = f"; instead: {self.alternative}" if self.alternative else ""
        super().__init__("unsupported", f"{line} has no {capability}{instead}")


def require(line: Line, capability: Capability) -> None:
    """Raises: Unsupported."""
    if capability not in CAPABILITIES[line]:
        raise Unsupported(line, capability)
