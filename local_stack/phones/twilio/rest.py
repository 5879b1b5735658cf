"""The part of the carrier's REST API that a voice agent needs: place a call, look at it, redirect it, end it.

Source: https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from multidict import MultiDictProxy

from local_stack.phones.twilio.account import API_VERSION, is_phone_number
from local_stack.phones.twilio.call import Command
from local_stack.phones.twilio.call_state import FINAL
from local_stack.phones.twilio.exchange import CalledPerson, CallEntry, Exchange
from local_stack.phones.twilio.options import CallOptions, Direction
from local_stack.phones.twilio.resources import RestError, call_resource, not_found
from local_stack.phones.twilio.voice_webhook import Source

log = logging.getLogger(__name__)

Form = MultiDictProxy[str]
_MAX_TWIML_CHARS: Final = 4000
_STATUS_EVENTS: Final = frozenset({"initiated", "ringing", "answered", "completed"})


def add_routes(app: web.Application, exchange: Exchange) -> None:
    """Adds `/2010-04-01/…`; whatever goes wrong there is answered in the carrier's own JSON."""
    api = CallsApi(exchange)
    calls = f"/{API_VERSION}/Accounts/{{account}}/Calls"
    app.router.add_post(f"{calls}.json", api.guarded(api.create))
    app.router.add_get(f"{calls}.json", api.guarded(api.list))
    app.router.add_get(f"{calls}/{{sid}}.json", api.guarded(api.get))
    app.router.add_post(f"{calls}/{{sid}}.json", api.guarded(api.update))
    app.router.add_route("*", f"/{API_VERSION}/{{rest:.*}}", api.guarded(api.unknown))


Handler = Callable[[web.Request], Awaitable[web.Response]]


class CallsApi:
    """Handlers over the live calls of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind Basic authentication, with errors in the carrier's form."""

        async def answer(request: web.Request) -> web.Response:
            try:
                self._authenticate(request)
                return await handler(request)
            except RestError as error:
                log.info("rest %s %s: %d %s", request.method, request.path, error.code, error.message)
                headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else None
                return web.json_response(error.to_json(), status=error.status, headers=headers)

        return answer

    def _authenticate(self, request: web.Request) -> None:
        account = self._exchange.account
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
        except ValueError:
            given = b""
        if not hmac.compare_digest(given, f"{account.sid}:{account.auth_token}".encode()):
            raise RestError(401, 20003, "Authenticate")
        if request.match_info.get("account", account.sid) != account.sid:
            raise not_found(request.path)

    async def unknown(self, request: web.Request) -> web.Response:
        raise not_found(request.path)

    async def list(self, request: web.Request) -> web.Response:
        """Newest first, filtered by `To`, `From` and `Status`; one page."""
        wanted = request.query
        fields = (("To", "to"), ("From", "from"), ("Status", "status"))
        calls = [call_resource(entry) for entry in self._exchange.entries]
        for name, key in fields:
            calls = [call for call in calls if name not in wanted or call[key] == wanted[name]]
        size = wanted.get("PageSize", "50")
        if not size.isdigit() or not 1 <= int(size) <= 1000:
            raise RestError(400, 20001, f"Invalid PageSize {size}")
        page = {"calls": calls[: int(size)], "page": 0, "page_size": int(size), "next_page_uri": None}
        return web.json_response({**page, "uri": request.path_qs, "first_page_uri": request.path_qs})

    async def get(self, request: web.Request) -> web.Response:
        entry = self._exchange.find(request.match_info["sid"])
        if entry is None:
            raise not_found(request.path)
        return web.json_response(call_resource(entry))

    async def create(self, request: web.Request) -> web.Response:
        form = await _form(request)
        person = self._exchange.people.get(form.get("To", ""), CalledPerson())
        options = self._outbound(form, person)
        sid = self._exchange.place(options).get_name()
        log.info("outbound call %s placed", sid)
        entry = self._exchange.find(sid)
        if entry is None:
            raise not_found(request.path)
        return web.json_response(call_resource(entry), status=201)

    def _outbound(self, form: Form, person: CalledPerson) -> CallOptions:
        to_number, from_number = form.get("To"), form.get("From")
        if not to_number:
            raise RestError(400, 21201, "No 'To' number is specified")
        if not from_number:
            raise RestError(400, 21213, "No 'From' number is specified")
        if not is_phone_number(to_number):
            raise RestError(400, 21211, f"The 'To' number {to_number} is not a valid phone number.")
        if not is_phone_number(from_number):
            raise RestError(400, 21212, f"The 'From' number {from_number} is not a valid phone number.")
        url = _url(form, "Url")
        twiml = None if url else _twiml(form)
        if not url and not twiml:
            raise RestError(400, 21205, "Url parameter is required")
        return CallOptions(
            account=self._exchange.account,
            from_number=from_number,
            to_number=to_number,
            voice_url=url,
            voice_method=_method(form, "Method"),
            twiml=twiml,
            fallback_url=_url(form, "FallbackUrl"),
            status_url=_url(form, "StatusCallback"),
            status_method=_method(form, "StatusCallbackMethod"),
            status_events=_events(form),
            direction=Direction.OUTBOUND,
            callee=person.callee,
            ring_ms=person.ring_ms,
            utterances=person.utterances,
            plan=person.plan,
            misbehaviours=person.misbehaviours,
            max_call_ms=_time_limit_ms(form),
            state_dir=self._exchange.state_dir,
        )

    async def update(self, request: web.Request) -> web.Response:
        """Ends or redirects a live call; one that is over is not found, as the carrier answers it."""
        entry = self._exchange.find(request.match_info["sid"])
        if entry is None or entry.call is None or entry.state.over:
            raise not_found(request.path)
        form = await _form(request)
        entry.call.command(_command(form, entry))
        log.info("call %s updated by the app", entry.sid)
        resource = call_resource(entry)
        if form.get("Status") in FINAL:
            resource["status"] = form["Status"]
        return web.json_response(resource)


def _command(form: Form, entry: CallEntry) -> Command:
    status = form.get("Status")
    if status is not None:
        if status not in ("completed", "canceled"):
            raise RestError(400, 20001, f"Status {status} is not one of completed, canceled")
        if status == "canceled" and entry.state.answered_ms is not None:
            raise RestError(400, 21220, "Call is in-progress. Cannot cancel.")
        return Command(final_status=status)
    url, twiml = _url(form, "Url"), _twiml(form)
    if url and twiml:
        raise RestError(400, 21218, "Url and Twiml exclude each other")
    if not url and not twiml:
        raise RestError(400, 20001, "One of Status, Url and Twiml is required")
    if entry.state.answered_ms is None:
        raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
    return Command(source=Source(url, _method(form, "Method"), twiml))


async def _form(request: web.Request) -> Form:
    """The form body. Raises: RestError for anything else."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise RestError(415, 20415, "Content-Type must be application/x-www-form-urlencoded")
    posted = await request.post()
    return MultiDictProxy(posted.copy())  # type: ignore[arg-type]


def _url(form: Form, name: str) -> str | None:
    url = form.get(name)
    if url and not url.startswith(("http://", "https://")):
        raise RestError(400, 21205, f"{name} is not a valid URL: {url}")
    return url or None


def _twiml(form: Form) -> str | None:
    document = form.get("Twiml")
    if document and len(document) > _MAX_TWIML_CHARS:
        raise RestError(400, 21245, f"Twiml is longer than {_MAX_TWIML_CHARS} characters")
    return document or None


def _method(form: Form, name: str) -> str:
    method = form.get(name, "POST").upper()
    if method not in ("GET", "POST"):
        raise RestError(400, 21403, f"{name} must be GET or POST")
    return method


def _events(form: Form) -> frozenset[str]:
    """The field is repeated, one event each; some clients join them with spaces."""
    named = {event for value in form.getall("StatusCallbackEvent", []) for event in value.split()}
    if unknown := named - _STATUS_EVENTS:
        raise RestError(400, 21626, f"Unknown StatusCallbackEvent {sorted(unknown)[0]}")
    return frozenset(named) or frozenset({"completed"})


def _time_limit_ms(form: Form) -> int:
    text = form.get("TimeLimit", "14400")
    if not text.isdigit() or not 1 <= int(text) <= 14_400:
        raise RestError(400, 20001, "TimeLimit is between 1 and 14400 seconds")
    return int(text) * 1000
