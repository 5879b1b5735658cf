"""`/Calls`: a call is placed, looked at, led elsewhere and ended.

Source: https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from local_stack.phones.lines import is_phone_number
from local_stack.phones.tones import are_keys
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.call import Command
from local_stack.phones.twilio.call_book import CallBook, CallEntry
from local_stack.phones.twilio.call_state import FINAL
from local_stack.phones.twilio.forms import rfc_2822
from local_stack.phones.twilio.misbehaviour import known_misbehaviours
from local_stack.phones.twilio.options import CallOptions, Direction, MachineDetection
from local_stack.phones.twilio.resources import RestError, call_resource, not_found
from local_stack.phones.twilio.rest_access import (
    Door,
    Form,
    events_in,
    flag_in,
    form_of,
    method_in,
    page,
    url_in,
    whole_in,
)
from local_stack.phones.twilio.rest_recordings import recording_wish
from local_stack.phones.twilio.voice_webhook import Source

log = logging.getLogger(__name__)

_MAX_TWIML_CHARS: Final = 4000
_MAX_DIGITS: Final = 32
_STATUS_EVENTS: Final = frozenset({"initiated", "ringing", "answered", "completed"})
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class CallsApi:
    """Handlers over the calls of all accounts."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._book = door.book

    def add_routes(self, app: web.Application, path: str) -> None:
        guarded = self._door.guarded
        app.router.add_post(f"{path}.json", guarded(self.create))
        app.router.add_get(f"{path}.json", guarded(self.list))
        app.router.add_get(f"{path}/{{sid}}.json", guarded(self.get))
        app.router.add_post(f"{path}/{{sid}}.json", guarded(self.update))
        app.router.add_get(f"{path}/{{sid}}/Events.json", guarded(self.events))

    def _entry(self, request: web.Request) -> CallEntry:
        entry = self._book.find(request.match_info["sid"])
        if entry is None or entry.options.account.sid != request.match_info["account"]:
            raise not_found(request.path)
        return entry

    async def list(self, request: web.Request) -> web.Response:
        """Newest first, filtered by `To`, `From`, `Status`, `ParentCallSid` and `StartTime`; one page."""
        wanted, account = request.query, request.match_info["account"]
        entries = [entry for entry in self._book.entries if entry.options.account.sid == account]
        for name in ("StartTime", "StartTime>", "StartTime<"):
            if name in wanted:
                entries = [entry for entry in entries if _fits(entry, name, wanted[name])]
        calls = [call_resource(entry) for entry in entries]
        for name, key in (("To", "to"), ("From", "from"), ("Status", "status"), ("ParentCallSid", "parent_call_sid")):
            calls = [call for call in calls if name not in wanted or call[key] == wanted[name]]
        return page(request, "calls", calls)

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(call_resource(self._entry(request)))

    async def events(self, request: web.Request) -> web.Response:
        """What was asked of the app. Source: https://www.twilio.com/docs/voice/api/call-event-resource"""
        events: list[dict[str, object]] = [
            {
                "request": {"method": asked.method, "url": asked.url, "parameters": {}},
                "response": {"response_code": asked.status, "date_created": rfc_2822(asked.at_ms)},
            }
            for asked in self._entry(request).state.requests
        ]
        return page(request, "events", events)

    async def create(self, request: web.Request) -> web.Response:
        form, account = await form_of(request), self._door.account_of(request)
        sid = self._book.start(outbound_options(self._book, account, form)).get_name()
        log.info("outbound call %s placed", sid)
        entry = self._book.find(sid)
        if entry is None:
            raise not_found(request.path)
        return web.json_response(call_resource(entry), status=201)

    async def update(self, request: web.Request) -> web.Response:
        """Ends or redirects a live call; one that is over is not found, as the carrier answers it."""
        entry = self._entry(request)
        if entry.call is None or entry.state.over:
            raise not_found(request.path)
        form = await form_of(request)
        entry.call.command(_command(form, entry))
        log.info("call %s updated by the app", entry.sid)
        resource = call_resource(entry)
        if form.get("Status") in FINAL:
            resource["status"] = form["Status"]
        return web.json_response(resource)


def outbound_options(book: CallBook, account: Account, form: Form, twiml: str | None = None) -> CallOptions:
    """A call to somebody. `twiml` is what to do with it where the form does not say so. Raises: RestError."""
    to_number, from_number = _numbers(form)
    person = book.carrier.person_at(to_number)
    url = url_in(form, "Url") if twiml is None else None
    twiml = twiml or (None if url else _twiml(form))
    if not url and not twiml:
        raise RestError(400, 21205, "Url parameter is required")
    return CallOptions(
        account=account,
        from_number=from_number,
        to_number=to_number,
        voice_url=url,
        voice_method=method_in(form, "Method"),
        twiml=twiml,
        fallback_url=url_in(form, "FallbackUrl"),
        status_url=url_in(form, "StatusCallback"),
        status_method=method_in(form, "StatusCallbackMethod"),
        status_events=events_in(form, "StatusCallbackEvent", _STATUS_EVENTS, "completed", 21626),
        direction=Direction.OUTBOUND,
        callee=person.callee,
        ring_ms=person.ring_ms,
        ring_timeout_ms=whole_in(form, "Timeout", 60, 1, 600) * 1000,
        send_digits=_digits(form),
        machine_detection=_machine_detection(form),
        record=recording_wish(form) if flag_in(form, "Record") else None,
        utterances=person.utterances,
        plan=person.plan,
        misbehaviours=known_misbehaviours(person.misbehaviours),
        max_call_ms=whole_in(form, "TimeLimit", 14_400, 1, 14_400) * 1000,
        state_dir=book.state_dir,
    )


def _numbers(form: Form) -> tuple[str, str]:
    to_number, from_number = form.get("To"), form.get("From")
    if not to_number:
        raise RestError(400, 21201, "No 'To' number is specified")
    if not from_number:
        raise RestError(400, 21213, "No 'From' number is specified")
    if not is_phone_number(to_number):
        raise RestError(400, 21211, f"The 'To' number {to_number} is not a valid phone number.")
    if not is_phone_number(from_number):
        raise RestError(400, 21212, f"The 'From' number {from_number} is not a valid phone number.")
    return to_number, from_number


def _machine_detection(form: Form) -> MachineDetection | None:
    mode = form.get("MachineDetection", "")
    if not mode:
        return None
    if mode not in ("Enable", "DetectMessageEnd"):
        raise RestError(400, 21401, f"MachineDetection {mode} is not one of Enable, DetectMessageEnd")
    return MachineDetection(
        mode,
        flag_in(form, "AsyncAmd"),
        url_in(form, "AsyncAmdStatusCallback"),
        method_in(form, "AsyncAmdStatusCallbackMethod"),
        whole_in(form, "MachineDetectionTimeout", 30, 3, 59) * 1000,
        whole_in(form, "MachineDetectionSilenceTimeout", 5000, 2000, 10_000),
    )


def _digits(form: Form) -> str:
    digits = form.get("SendDigits", "")
    if len(digits) > _MAX_DIGITS or not are_keys(digits):
        raise RestError(400, 21502, f"SendDigits is invalid: {digits}")
    return digits


def _twiml(form: Form) -> str | None:
    document = form.get("Twiml")
    if document and len(document) > _MAX_TWIML_CHARS:
        raise RestError(400, 21245, f"Twiml is longer than {_MAX_TWIML_CHARS} characters")
    return document or None


def _command(form: Form, entry: CallEntry) -> Command:
    status = form.get("Status")
    if status is not None:
        if status not in ("completed", "canceled"):
            raise RestError(400, 20001, f"Status {status} is not one of completed, canceled")
        if status == "canceled" and entry.state.answered_ms is not None:
            raise RestError(400, 21220, "Call is in-progress. Cannot cancel.")
        return Command(final_status=status)
    url, twiml = url_in(form, "Url"), _twiml(form)
    if url and twiml:
        raise RestError(400, 21218, "Url and Twiml exclude each other")
    if not url and not twiml:
        raise RestError(400, 20001, "One of Status, Url and Twiml is required")
    if entry.state.answered_ms is None:
        raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
    return Command(source=Source(url, method_in(form, "Method"), twiml))


def _fits(entry: CallEntry, name: str, value: str) -> bool:
    """Whether the call began then; a day, or a moment in ISO 8601. `StartTime>` means from then on."""
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise RestError(400, 20001, f"Invalid {name} {value}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    began = datetime.fromtimestamp(entry.state.created_ms / 1000, UTC)
    if _DAY.fullmatch(value):
        began = began.replace(hour=0, minute=0, second=0, microsecond=0)
    compare: Callable[[datetime, datetime], bool] = {
        "StartTime": lambda left, right: left == right,
        "StartTime>": lambda left, right: left >= right,
        "StartTime<": lambda left, right: left <= right,
    }[name]
    return compare(began.replace(microsecond=0), moment.replace(microsecond=0))
