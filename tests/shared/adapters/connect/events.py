"""Events as AWS gives them to our function."""

from __future__ import annotations

from typing import Any

INSTANCE = "arn:aws:connect:us-east-1:111122223333:instance/c8c0e68d-2200-4265-82c0-000000000000"
CONTACT = "4a573372-1f28-4e26-b97b-000000000001"
STREAM = "arn:aws:kinesisvideo:us-east-1:111122223333:stream/p-connect-a-contact-0/1598784211076"


def flow_event(parameters: dict[str, Any] | None = None, **contact: Any) -> dict[str, Any]:
    given = {
        "Attributes": {"locale": "en-IN"},
        "Channel": "VOICE",
        "ContactId": CONTACT,
        "InitialContactId": CONTACT,
        "CustomerEndpoint": {"Address": "+14155550100", "Type": "TELEPHONE_NUMBER"},
        "SystemEndpoint": {"Address": "+15550100016", "Type": "TELEPHONE_NUMBER"},
        "InstanceARN": INSTANCE,
        "LanguageCode": "en-US",
        "MediaStreams": {"Customer": {"Audio": None}},
        "Queue": None,
    }
    return {
        "Name": "ContactFlowEvent",
        "Details": {"ContactData": given | contact, "Parameters": parameters},
    }


def lex_event(words: str = "move my appointment", *, mode: str = "Speech", **attributes: str) -> dict[str, Any]:
    session = {"mode": "lex", "turn": "1", "contact": CONTACT, "instance": INSTANCE} | attributes
    intent = {"name": "FallbackIntent", "slots": {}, "state": "ReadyForFulfillment", "confirmationState": "None"}
    return {
        "messageVersion": "1.0",
        "invocationSource": "FulfillmentCodeHook",
        "inputMode": mode,
        "sessionId": CONTACT,
        "inputTranscript": words,
        "bot": {"id": "B1", "name": "agent", "aliasId": "TSTALIASID", "localeId": "en_IN", "version": "3"},
        "sessionState": {
            "sessionAttributes": session,
            "intent": intent,
            "originatingRequestId": "33b39120-0000-4000-8000-000000000001",
        },
        "transcriptions": [{"transcription": words, "transcriptionConfidence": 0.92}],
    }


def contact_event(kind: str, **detail: Any) -> dict[str, Any]:
    given = {
        "eventType": kind,
        "contactId": CONTACT,
        "initialContactId": CONTACT,
        "channel": "VOICE",
        "instanceArn": INSTANCE,
        "initiationMethod": "INBOUND",
        "initiationTimestamp": "2026-11-22T20:00:00.000Z",
    }
    return {
        "version": "0",
        "source": "aws.connect",
        "detail-type": "Amazon Connect Contact Event",
        "detail": given | detail,
    }
