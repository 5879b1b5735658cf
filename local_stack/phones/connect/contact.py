"""One contact: what Amazon Connect knows of it, and how blocks and functions see that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from local_stack.phones.connect.account import Account, new_contact_id

LONGEST_ATTRIBUTES_BYTES: Final = 32 * 1024


@dataclass
class Contact:
    """`external`: the latest function's answer; `lex`: the session of its bot, which lasts as long as the contact."""

    account: Account
    customer: str
    system: str
    is_outbound: bool
    initiated_ms: float
    contact_id: str = field(default_factory=new_contact_id)
    attributes: dict[str, str] = field(default_factory=dict)
    external: dict[str, Any] = field(default_factory=dict)
    lex: dict[str, str] = field(default_factory=dict)
    language: str = "en-US"
    connected_ms: float | None = None
    ringing_ms: float | None = None
    ended_ms: float | None = None
    end_reason: str = ""
    stream_arn: str = ""
    start_fragment: str = ""
    ivr_recording: str = ""
    """AVAILABLE while it is recorded, SUSPENDED, or empty."""

    def resolve(self, value: Any) -> str:
        """A parameter's value: a text, or what a path in the contact's data leads to; "" where it leads nowhere."""
        text = str(value)
        if not text.startswith("$."):
            return text
        match text.split(".")[1:]:
            case ["External", name]:
                found = self.external.get(name)
            case ["Attributes", name]:
                found = self.attributes.get(name)
            case ["Lex", "SessionAttributes", name]:
                found = self.lex.get(name)
            case [name]:
                found = self._system_attributes.get(name)
            case _:
                found = None
        return "" if found is None else str(found)

    @property
    def _system_attributes(self) -> dict[str, str]:
        return {
            "ContactId": self.contact_id,
            "InitialContactId": self.contact_id,
            "InstanceARN": self.account.instance_arn,
            "LanguageCode": self.language,
        }

    def event(self, parameters: dict[str, str]) -> dict[str, Any]:
        """What a function is invoked with. Source: …/adminguide/connect-lambda-functions.html"""
        return {
            "Name": "ContactFlowEvent",
            "Details": {
                "ContactData": {
                    "Attributes": dict(self.attributes),
                    "Channel": "VOICE",
                    "ContactId": self.contact_id,
                    "InitialContactId": self.contact_id,
                    "PreviousContactId": self.contact_id,
                    "CustomerEndpoint": _endpoint(self.customer),
                    "SystemEndpoint": _endpoint(self.system),
                    "CustomerId": None,
                    "Description": None,
                    "InitiationMethod": self.initiation,
                    "InstanceARN": self.account.instance_arn,
                    "LanguageCode": self.language,
                    "MediaStreams": {"Customer": {"Audio": self._audio()}},
                    "Name": None,
                    "Queue": None,
                    "References": {},
                    "Tags": {"aws:connect:instanceId": self.account.instance_id},
                },
                "Parameters": parameters or None,
            },
        }

    @property
    def initiation(self) -> str:
        return "API" if self.is_outbound else "INBOUND"

    def _audio(self) -> dict[str, Any] | None:
        if not self.stream_arn:
            return None
        return {
            "StreamARN": self.stream_arn,
            "StartTimestamp": f"{self.initiated_ms:.0f}",
            "StopTimestamp": None,
            "StartFragmentNumber": self.start_fragment,
            "StopFragmentNumber": None,
        }

    def described(self) -> dict[str, Any]:
        """As `DescribeContact` tells it; moments are seconds."""
        moments = {
            "InitiationTimestamp": self.initiated_ms,
            "RingStartTimestamp": self.ringing_ms,
            "ConnectedToSystemTimestamp": self.connected_ms,
            "DisconnectTimestamp": self.ended_ms,
        }
        known = {name: ms / 1000 for name, ms in moments.items() if ms is not None}
        document = {
            "Arn": f"{self.account.instance_arn}/contact/{self.contact_id}",
            "Id": self.contact_id,
            "InitialContactId": self.contact_id,
            "InitiationMethod": self.initiation,
            "Channel": "VOICE",
            "Attributes": self.attributes,
            **known,
        }
        if self.ivr_recording and self.ended_ms is not None:
            place = {"StorageType": "S3", "Location": f"local-recordings/ivr/{self.contact_id}.wav"}
            document["Recordings"] = [{**place, "MediaStreamType": "AUDIO", "Status": "AVAILABLE"}]
        return document | ({"DisconnectReason": self.end_reason} if self.end_reason else {})

    def contact_event(self, kind: str, at_ms: float) -> dict[str, Any]:
        """What EventBridge is told. Source: Amazon Connect's administrator guide, `contact-events`"""
        detail: dict[str, Any] = {
            "eventType": kind,
            "contactId": self.contact_id,
            "initialContactId": self.contact_id,
            "channel": "VOICE",
            "instanceArn": self.account.instance_arn,
            "initiationMethod": self.initiation,
            "initiationTimestamp": iso(self.initiated_ms),
            "eventTimestamp": iso(at_ms),
        }
        if self.connected_ms is not None:
            detail["connectedToSystemTimestamp"] = iso(self.connected_ms)
        if kind in ("DISCONNECTED", "COMPLETED"):
            detail |= {"disconnectTimestamp": iso(self.ended_ms or at_ms), "disconnectReason": self.end_reason}
        return {
            "version": "0",
            "id": new_contact_id(),
            "detail-type": "Amazon Connect Contact Event",
            "source": "aws.connect",
            "account": self.account.owner,
            "time": iso(at_ms),
            "region": self.account.region,
            "resources": [self.account.instance_arn],
            "detail": detail,
        }


def iso(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _endpoint(number: str) -> dict[str, str] | None:
    return {"Address": number, "Type": "TELEPHONE_NUMBER"} if number else None
