"""What the flow asks of us: the event with which Amazon Connect invokes a function, as our Lambda passes it on.

Source: https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.adapters.connect.documents import child, contact_id, keys_in, needed, number, text, texts
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import is_e164
from shared.domain.telephony.events import CallerSpoke, CallIncoming, TransferEnded
from shared.domain.telephony.lines import Line, Provider

OUR_CALL = "voice_agent_call"
"""The contact attribute in which a call that we dialled bears our id of it."""
_MOST_WORDS = 4000
_MAX_PARTY_CHARACTERS = 256
_MAX_REASON_CHARACTERS = 500


class Op(StrEnum):
    """Why the flow asks."""

    BEGIN = "begin"
    """A contact has come to the flow: who answers, and what does it say first?"""
    TURN = "turn"
    """The caller has said something, or nothing in time."""
    BACK = "back"
    """The contact is back from a transfer: nobody answered there, or the other side has hung up."""
    GATEWAY = "gateway"
    """The contact is about to be put through to a number of ours at another provider."""


@dataclass(frozen=True, slots=True)
class MediaStream:
    """Where the live audio of a contact can be followed: from which fragment of which stream."""

    stream_arn: str
    start_fragment: str


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """`turn`: of which words are brought, or more is asked; `told`: how many sentences of its answer were given.

    `words` are None where none are brought; "" where the caller was silent. `mode`: `lex` where the bot asks us
    itself, `turn` where it only listens. `is_for_rest`: where the caller is silent, the rest of the answer before
    this turn is asked for, of which `told` were given. `number`: of ours, to which it is about to be put through;
    `reason`: why.
    """

    contact_id: str
    instance_arn: str
    caller: str
    callee: str
    op: Op
    turn: int
    told: int = 0
    words: str | None = None
    keys: str = ""
    language: str = ""
    was_answered: bool = False
    is_for_rest: bool = False
    interruptible: bool = True
    mode: str = ""
    number: str = ""
    reason: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    media: MediaStream | None = None

    @property
    def our_call_id(self) -> str:
        """Of a call that we dialled; empty for one that came in."""
        return self.attributes.get(OUR_CALL, "")

    @property
    def context(self) -> dict[str, str]:
        """What the contact center has noted about the contact."""
        return {name: value for name, value in self.attributes.items() if name != OUR_CALL}

    def incoming(self) -> CallIncoming:
        return CallIncoming(
            Provider.CONNECT,
            self.contact_id,
            f"begin:{self.contact_id}",
            self.caller,
            self.callee,
            Line.CONNECT,
            dict(self.attributes),
        )

    def back(self) -> TransferEnded:
        """What became of the transfer that the flow has tried."""
        key = f"back:{self.turn}:{self.was_answered}"
        return TransferEnded(Provider.CONNECT, self.contact_id, key, was_answered=self.was_answered)

    def spoke(self) -> CallerSpoke:
        """The key is the same for each repetition of the turn, whoever repeats it."""
        return CallerSpoke(
            Provider.CONNECT,
            self.contact_id,
            f"turn:{self.turn}",
            self.words or "",
            self.turn,
            language=self.language,
            keys=self.keys,
        )


def read_flow_event(document: Any) -> FlowRequest:
    """Raises: InvalidRequest for what is no event of a contact flow."""
    details = needed(document, "Details")
    contact, parameters = needed(details, "ContactData"), texts(details, "Parameters")
    try:
        op = Op(parameters.get("op", ""))
    except ValueError:
        raise InvalidRequest("op", f"Parameters.op is none of {', '.join(Op)}") from None
    words = parameters.get("words", "")[:_MOST_WORDS].strip()
    return FlowRequest(
        contact_id=contact_id(text(contact, "InitialContactId") or text(contact, "ContactId")),
        instance_arn=text(contact, "InstanceARN"),
        caller=_party(child(contact, "CustomerEndpoint")),
        callee=_party(child(contact, "SystemEndpoint")),
        op=op,
        turn=number(parameters.get("turn", ""), "turn"),
        told=number(parameters.get("told", ""), "told"),
        words=words if op is Op.TURN else None,
        keys=keys_in(parameters.get("keys", "")),
        language=text(contact, "LanguageCode"),
        was_answered=parameters.get("answered") == "true",
        is_for_rest=parameters.get("rest") == "true",
        number=parameters.get("number", "")[:20],
        reason=parameters.get("reason", "")[:_MAX_REASON_CHARACTERS].strip(),
        mode=parameters.get("mode", "")[:8],
        interruptible=parameters.get("interruptible") != "false",
        attributes=texts(contact, "Attributes"),
        media=_media(contact),
    )


def _media(contact: Any) -> MediaStream | None:
    """None until the flow's block `Start media streaming` was passed."""
    audio = child(child(child(contact, "MediaStreams"), "Customer"), "Audio")
    arn, fragment = text(audio, "StreamARN"), text(audio, "StartFragmentNumber")
    return MediaStream(arn, fragment) if arn and fragment.isdecimal() else None


def _party(endpoint: dict[str, Any]) -> str:
    """A caller who withholds the number has no endpoint at all."""
    party = text(endpoint, "Address")[:_MAX_PARTY_CHARACTERS]
    return party.lstrip("+") if party.startswith("+") and not is_e164(party) else party
