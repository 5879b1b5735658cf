"""Twilio's forms as the common events. Source: https://www.twilio.com/docs/voice/twiml#request-parameters"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.adapters.twilio.form_values import (
    MAX_PARTY_CHARACTERS,
    fraction,
    moment_ms,
    party,
    seconds,
    shown_instead,
)
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.events import (
    AnsweredBy,
    CallAnsweredBy,
    CallerSpoke,
    CallIncoming,
    CallProgressed,
    Progress,
    ProviderFault,
    RecordingReady,
    TransferEnded,
)
from shared.domain.telephony.lines import Line, Provider

_CALL_SID = re.compile(r"CA[0-9a-f]{32}")
_CALL_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_MAX_WORDS_CHARACTERS = 8_000
_MAX_DETAIL_CHARACTERS = 200
_MOST_TURNS, _MOST_SENTENCES = 100_000, 1_000

PROGRESS: Mapping[str, Progress] = {
    "queued": Progress.QUEUED,
    "initiated": Progress.QUEUED,
    "ringing": Progress.RINGING,
    "in-progress": Progress.IN_PROGRESS,
    "answered": Progress.IN_PROGRESS,
    "completed": Progress.COMPLETED,
    "busy": Progress.BUSY,
    "no-answer": Progress.NO_ANSWER,
    "canceled": Progress.CANCELED,
    "failed": Progress.FAILED,
}
"""Source: https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""
_ATTRIBUTES = ("ForwardedFrom", "CallerName", "StirVerstat", "Direction", "ParentCallSid")
_TRANSFER_ANSWERED = frozenset({"completed", "answered"})


@dataclass(frozen=True, slots=True)
class TwilioWebhook:
    """A verified request. `query`: what we wrote into the address ourselves, which the signature covers as well.

    `tenants`: whose calls alone may come by the account that signed; None: everybody's.
    """

    account_sid: str
    call_sid: str
    form: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    tenants: frozenset[str] | None = None

    def text(self, name: str) -> str:
        return self.form.get(name, "")

    def incoming(self) -> CallIncoming:
        """A call that asks what to do. On which line it goes on is the route's to say."""
        attributes = {name: self.text(name)[:MAX_PARTY_CHARACTERS] for name in _ATTRIBUTES if self.text(name)}
        return CallIncoming(
            Provider.TWILIO,
            self.call_sid,
            "incoming",
            caller=party(self.text("From")),
            callee=party(self.text("To")),
            line=Line.TWILIO,
            attributes=attributes,
        )

    def progressed(self) -> CallProgressed | None:
        """How far the call has come; None for a status that we do not know."""
        raw = self.text("CallStatus")
        progress = PROGRESS.get(raw)
        if progress is None:
            return None
        return CallProgressed(
            Provider.TWILIO,
            self.call_sid,
            f"status:{raw}:{self.text('SequenceNumber')[:10]}",
            progress,
            raw,
            duration_s=seconds(self.text("CallDuration")),
            at_ms=moment_ms(self.text("Timestamp")),
        )

    def answered_by(self) -> CallAnsweredBy | None:
        """Who took the call; None where the request does not say."""
        raw = self.text("AnsweredBy")
        if not raw:
            return None
        kind = raw.partition("_")[0]
        by = {"human": AnsweredBy.HUMAN, "machine": AnsweredBy.MACHINE, "fax": AnsweredBy.FAX}.get(kind)
        return CallAnsweredBy(
            Provider.TWILIO,
            self.call_sid,
            f"answered_by:{raw[:40]}",
            by or AnsweredBy.UNKNOWN,
            beeped=raw.startswith("machine_end"),
        )

    def spoken(self) -> CallerSpoke:
        """The words (or keys) of a turn of `<Gather>`; empty where nothing was said in time, or Twilio comes again.

        Source: https://www.twilio.com/docs/voice/twiml/gather#attributes-action
        """
        turn = self.turn
        return CallerSpoke(
            Provider.TWILIO,
            self.call_sid,
            f"turn:{turn}:{self.after}",
            text=self.text("SpeechResult")[:_MAX_WORDS_CHARACTERS].strip(),
            turn=turn,
            language=self.text("Language")[:16],
            keys="".join(key for key in self.text("Digits")[:32] if key in "0123456789*#ABCD"),
            confidence=fraction(self.text("Confidence")),
        )

    def recorded(self) -> RecordingReady | None:
        """Where the recording is; None as long as there is none, or where it came to nothing."""
        if self.text("RecordingStatus") not in ("completed", "") or not self.text("RecordingUrl"):
            return None
        return RecordingReady(
            Provider.TWILIO,
            self.call_sid,
            f"recording:{self.text('RecordingSid')[:34]}",
            url=self.text("RecordingUrl")[:2000],
            duration_s=seconds(self.text("RecordingDuration")),
        )

    def transfer_ended(self) -> TransferEnded:
        """What became of the other end of a `<Dial>`. Source: https://www.twilio.com/docs/voice/twiml/dial#action"""
        status = self.text("DialCallStatus")
        key = f"transfer:{self.text('DialCallSid')[:34]}:{status[:16]}"
        return TransferEnded(Provider.TWILIO, self.call_sid, key, was_answered=status in _TRANSFER_ANSWERED)

    @property
    def caller_id(self) -> str:
        """What a person sees to whom the caller is put through; "" where that is the caller's own number."""
        return shown_instead(self.text("From"), self.text("To"))

    def put_through(self, *, was_answered: bool) -> TransferEnded:
        """Whether the person on this line takes the caller."""
        key = f"person:{self.call_sid}:{'taken' if was_answered else 'gone'}"
        return TransferEnded(Provider.TWILIO, self.caller_sid, key, was_answered=was_answered)

    def left(self) -> TransferEnded:
        """The caller of this line is put through, and the agent's part is over."""
        return TransferEnded(Provider.TWILIO, self.call_sid, "left", was_answered=True)

    def stayed(self) -> TransferEnded:
        """The caller of this line cannot be put through, and goes on with the agent."""
        return TransferEnded(Provider.TWILIO, self.call_sid, "stayed", was_answered=False)

    @property
    def session_id(self) -> str:
        return self.text("SessionId")[:64]

    @property
    def stream_sid(self) -> str:
        return self.text("StreamSid")[:64]

    @property
    def has_stopped(self) -> bool:
        """Whether this is the end of a media stream."""
        return self.text("StreamEvent") == "stream-stopped"

    @property
    def handoff(self) -> str:
        """What we ended a relay with, for who goes on. Source: `HandoffData` of ConversationRelay's action."""
        return self.text("HandoffData")[:_MAX_WORDS_CHARACTERS]

    def fault(self) -> ProviderFault | None:
        """What Twilio holds against us: a stream or a relay that broke, a document that it could not read."""
        code = self.text("ErrorCode")
        detail = self.text("StreamError") or self.text("ErrorMessage")
        if self.text("StreamEvent") == "stream-error":
            code = code or "stream-error"
        if not code:
            return None
        return ProviderFault(
            Provider.TWILIO, self.call_sid, f"fault:{code[:40]}", code[:40], detail[:_MAX_DETAIL_CHARACTERS]
        )

    @property
    def call_id(self) -> str:
        """Our own id of the call, as we wrote it into the address; "" where we did not. Raises: InvalidRequest."""
        given = self.query.get("call", "")
        if given and not _CALL_ID.fullmatch(given):
            raise InvalidRequest("call_malformed", "the address names no call of ours")
        return given

    @property
    def language(self) -> str:
        """The caller's, as we wrote it into the address; "" where we did not."""
        return self.query.get("language", "")[:16]

    @property
    def comes_again(self) -> bool:
        """Whether this asks for the rest of an answer, and brings no words."""
        return self.query.get("again") == "1"

    @property
    def turn(self) -> int:
        """Raises: InvalidRequest."""
        return self.number_in("turn", _MOST_TURNS)

    @property
    def after(self) -> int:
        """How many sentences of the turn's answer the caller has been given. Raises: InvalidRequest."""
        return self.number_in("after", _MOST_SENTENCES)

    @property
    def caller_sid(self) -> str:
        """The caller whom the person on this line is to take. Raises: InvalidRequest."""
        given = self.query.get("caller", "")
        if not _CALL_SID.fullmatch(given):
            raise InvalidRequest("caller_malformed", "the address names no caller")
        return given

    def number_in(self, name: str, most: int) -> int:
        """Raises: InvalidRequest."""
        given = self.query.get(name, "0")
        if not (given.isascii() and given.isdecimal() and len(given) <= len(str(most)) and int(given) <= most):
            raise InvalidRequest("query_malformed", f"{name} is a whole number up to {most}")
        return int(given)
