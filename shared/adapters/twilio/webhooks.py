"""What Twilio asks of us over HTTP: let in if one of our accounts signed it, and then read as a form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts
from shared.adapters.twilio.events import TwilioWebhook
from shared.adapters.twilio.signature import Signed, is_body_of, signed_of
from shared.domain.errors import InvalidRequest, Unauthenticated

MAX_BODY_BYTES = 64 * 1024
_MAX_FIELDS = 200
_CALL_SID = re.compile(r"CA[0-9a-f]{32}")
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class TwilioWebhooks:
    """`socket_urls`: the addresses at which Twilio opens its media streams and its relays."""

    def __init__(self, *, accounts: TwilioAccounts, public_base_url: str, socket_urls: tuple[str, ...]) -> None:
        self._accounts = accounts
        self._public_base_url = public_base_url.rstrip("/")
        self._socket_urls = socket_urls

    def verify(
        self, *, path_and_query: str, content_type: str, body: bytes, headers: Mapping[str, str]
    ) -> TwilioWebhook:
        """The fields, if the account that they name signed them.

        Raises: Unauthenticated for a missing or wrong signature or an account that is not ours; InvalidRequest for a
        body that is neither form nor JSON, too large, or lacks what every call webhook has.
        """
        if len(body) > MAX_BODY_BYTES:
            raise InvalidRequest("body_too_large", f"a webhook has at most {MAX_BODY_BYTES} bytes")
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in (_FORM, _JSON):
            raise InvalidRequest("content_type", f"a webhook is {_FORM} or {_JSON}")
        url = self._public_base_url + path_and_query
        signed = signed_of(headers)
        if signed is None:
            raise Unauthenticated("twilio_signature", "X-Twilio-Signature is missing, or of an unknown kind")
        if kind == _JSON:
            if not is_body_of(url, body):
                raise Unauthenticated("twilio_body", "the signed address does not name this body")
            pairs, params = _json_fields(body), []
        else:
            pairs = params = _form_fields(body)
        form = dict(pairs)
        account = self._signer(form.get("AccountSid", ""), url, params, signed)
        if not _CALL_SID.fullmatch(form.get("CallSid", "")):
            raise InvalidRequest("call_sid", "CallSid is missing or malformed")
        return TwilioWebhook(account.sid, form["CallSid"], form, _query_of(path_and_query), account.tenants)

    def _signer(self, sid: str, url: str, params: list[tuple[str, str]], signed: Signed) -> TwilioAccount:
        account = self._accounts.find(sid)
        if account is None:
            raise Unauthenticated("twilio_account", "the webhook is for another account")
        if not account.has_signed(url, params, signed):
            raise Unauthenticated("twilio_signature", "X-Twilio-Signature is wrong")
        return account

    def verify_socket(self, headers: Mapping[str, str]) -> None:
        """Raises: Unauthenticated, unless Twilio signed the upgrade to one of our sockets. Which account did is seen
        from the socket's first message.
        """
        signed = signed_of(headers)
        if signed is None or not any(self._accounts.any_has_signed(url, signed) for url in self._socket_urls):
            raise Unauthenticated("twilio_signature", "the socket's signature is missing or wrong")


def _form_fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=_MAX_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise InvalidRequest("form_malformed", "the body is not a form in UTF-8") from None


def _json_fields(body: bytes) -> list[tuple[str, str]]:
    """The document's plain values, as a form would have them."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("json_malformed", "the body is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRequest("json_malformed", "the body is not a JSON object")
    return [
        (name, str(value).encode(errors="replace").decode())  # JSON can hold half a character
        for name, value in document.items()
        if isinstance(value, str | int | float)
    ]


def _query_of(path_and_query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(urlsplit(path_and_query).query, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise InvalidRequest("query_malformed", "the address has no readable query") from None
