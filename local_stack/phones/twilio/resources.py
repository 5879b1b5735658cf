"""Calls and errors in the JSON of the carrier's REST API."""

from __future__ import annotations

from typing import Any

from local_stack.phones.twilio.account import API_VERSION
from local_stack.phones.twilio.call_book import CallEntry
from local_stack.phones.twilio.forms import rfc_2822


class RestError(Exception):
    """An error as the REST API answers it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def to_json(self) -> dict[str, Any]:
        more_info = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.message, "more_info": more_info, "status": self.status}


def not_found(path: str) -> RestError:
    return RestError(404, 20404, f"The requested resource {path} was not found")


def call_resource(entry: CallEntry) -> dict[str, Any]:
    """One call. Times are RFC 2822, the duration a string of seconds, as the carrier writes them.

    Source: https://www.twilio.com/docs/voice/api/call-resource
    """
    options, state, account_sid = entry.options, entry.state, entry.options.account.sid
    uri = f"/{API_VERSION}/Accounts/{account_sid}/Calls/{entry.sid}"
    duration = state.duration_s if state.over else None
    return {
        "sid": entry.sid,
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "from": options.from_number,
        "from_formatted": options.from_number,
        "to": options.to_number,
        "to_formatted": options.to_number,
        "status": state.status,
        "direction": options.direction.value,
        "date_created": rfc_2822(state.created_ms),
        "date_updated": rfc_2822(state.ended_ms or state.answered_ms or state.created_ms),
        "start_time": None if state.answered_ms is None else rfc_2822(state.answered_ms),
        "end_time": None if state.ended_ms is None else rfc_2822(state.ended_ms),
        "duration": None if duration is None else str(duration),
        "answered_by": state.answered_by,
        "annotation": None,
        "caller_name": None,
        "forwarded_from": None,
        "group_sid": None,
        "parent_call_sid": options.parent_sid,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {
            name: f"{uri}/{path}.json"
            for name, path in (("recordings", "Recordings"), ("streams", "Streams"), ("events", "Events"))
        },
    }
