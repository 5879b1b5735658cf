"""What Twilio asks of us over HTTP, and how it is answered: forms in, TwiML out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from shared.adapters.twilio.signature import is_signed
from shared.domain.errors import InvalidRequest, Unauthenticated

MAX_BODY_BYTES = 64 * 1024
_CALL_SID = re.compile(r"CA[0-9a-f]{32}")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_MAX_PARTY_CHARACTERS = 256
_FORM = "application/x-www-form-urlencoded"
_ENDED_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class TwilioWebhook:
    """A verified form. Source: https://www.twilio.com/docs/voice/twiml#request-parameters"""

    call_sid: str
    call_status: str
    caller: str
    callee: str
    stream_event: str
    stream_error: str

    @property
    def has_ended(self) -> bool:
        return self.call_status in _ENDED_STATUSES


class TwilioWebhooks:
    """`auth_tokens`: the account's token, and the one before it while it is being rotated.

    `media_socket_url`: the address at which Twilio opens its media streams.
    """

    def __init__(
        self, *, account_sid: str, auth_tokens: tuple[str, ...], public_base_url: str, media_socket_url: str
    ) -> None:
        self._account_sid = account_sid
        self._auth_tokens = auth_tokens
        self._public_base_url = public_base_url.rstrip("/")
        self._media_socket_url = media_socket_url

    def verify(self, *, path_and_query: str, content_type: str, body: bytes, given: str | None) -> TwilioWebhook:
        """The form, if Twilio signed it for this account.

        Raises: Unauthenticated for a missing or wrong signature or another account; InvalidRequest for a body
        that is no form, too large, or lacks what every call webhook has.
        """
        if len(body) > MAX_BODY_BYTES:
            raise InvalidRequest("body_too_large", f"a webhook has at most {MAX_BODY_BYTES} bytes")
        if content_type.partition(";")[0].strip().lower() != _FORM:
            raise InvalidRequest("content_type", f"a webhook is {_FORM}")
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=200)
        except ValueError:
            raise InvalidRequest("form_malformed", "the body is not a form in UTF-8") from None
        if not is_signed(self._auth_tokens, self._public_base_url + path_and_query, pairs, given):
            raise Unauthenticated("twilio_signature", "X-Twilio-Signature is missing or wrong")
        form = dict(pairs)
        if form.get("AccountSid") != self._account_sid:
            raise Unauthenticated("twilio_account", "the webhook is for another account")
        if not _CALL_SID.fullmatch(form.get("CallSid", "")):
            raise InvalidRequest("call_sid", "CallSid is missing or malformed")
        return TwilioWebhook(
            call_sid=form["CallSid"],
            call_status=form.get("CallStatus", ""),
            caller=_party(form.get("From", "")),
            callee=_party(form.get("To", "")),
            stream_event=form.get("StreamEvent", ""),
            stream_error=form.get("StreamError", ""),
        )

    def verify_socket(self, given: str | None) -> None:
        """Raises: Unauthenticated, unless Twilio signed the upgrade to our media socket."""
        if not is_signed(self._auth_tokens, self._media_socket_url, (), given):
            raise Unauthenticated("twilio_signature", "the media socket's signature is missing or wrong")

    def connect_stream(self, ticket: str) -> str:
        """TwiML that hands the call's audio to our socket; the ticket travels as a parameter, since Twilio
        drops query strings. Source: https://www.twilio.com/docs/voice/twiml/stream
        """
        response = ET.Element("Response")
        connect = ET.SubElement(response, "Connect")
        status_callback = f"{self._public_base_url}/api/webhooks/twilio/stream-status"
        stream = ET.SubElement(connect, "Stream", {"url": self._media_socket_url, "statusCallback": status_callback})
        ET.SubElement(stream, "Parameter", {"name": "ticket", "value": ticket})
        ET.SubElement(response, "Hangup")
        return _document(response)

    def reject(self, reason: str = "rejected") -> str:
        """TwiML that declines the call before it costs anything; `reason` is `rejected` or `busy`."""
        response = ET.Element("Response")
        ET.SubElement(response, "Reject", {"reason": reason})
        return _document(response)


def _party(given: str) -> str:
    """Who calls or is called. A caller may show what is no number at all, and is answered all the same; what looks
    like a number is one.
    """
    party = given[:_MAX_PARTY_CHARACTERS]
    return party.lstrip("+") if party.startswith("+") and not _E164.fullmatch(party) else party


def _document(response: ET.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(response, encoding="unicode")
