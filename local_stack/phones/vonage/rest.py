"""The part of Vonage's REST API that a voice agent needs: place a call, look at it, lead it elsewhere, end it.

Source: https://developer.vonage.com/en/api/voice
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from local_stack.phones.vonage import ncco
from local_stack.phones.vonage.account import Denied
from local_stack.phones.vonage.book import CallBook, CallEntry
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.ordering import ordered_options
from local_stack.phones.vonage.state import Command

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.Response]]
_KEYS: Final = re.compile(r"[0-9*#p]{1,50}")


class RestError(Exception):
    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"type": "https://developer.vonage.com/api-errors", "title": title, "detail": detail}


def add_routes(app: web.Application, book: CallBook) -> None:
    """Adds `/v1/calls…`, `/v1/conversations/…/record`, `/v1/files/…`, and `/_local/vonage/moods`."""
    api = CallsApi(book)
    call = "/v1/calls/{leg}"
    app.router.add_post("/v1/calls", api.guarded(api.create))
    app.router.add_get("/v1/calls", api.guarded(api.list))
    app.router.add_get(call, api.guarded(api.get))
    app.router.add_put(call, api.guarded(api.update))
    app.router.add_put(f"{call}/dtmf", api.guarded(api.send_keys))
    app.router.add_put(f"{call}/talk", api.guarded(api.talk))
    app.router.add_delete(f"{call}/talk", api.guarded(api.silence))
    app.router.add_put("/v1/conversations/{conversation}/record", api.guarded(api.record))
    app.router.add_get("/v1/files/{file}", api.guarded(api.recording))
    app.router.add_put("/_local/vonage/moods", book.moods.set)


class CallsApi:
    """Handlers over the calls of one account."""

    def __init__(self, book: CallBook) -> None:
        self._book = book

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind the application's token, with errors in Vonage's form."""

        async def answered(request: web.Request) -> web.Response:
            try:
                return await handler(request)
            except VonageFault as fault:
                return _refusal(request, RestError(400, "Bad Request", fault.message))
            except (RestError, ValueError) as error:
                known = error if isinstance(error, RestError) else RestError(400, "Bad Request", str(error))
                return _refusal(request, known)

        async def answer(request: web.Request) -> web.Response:
            try:
                self._book.account.check(request.headers.get("Authorization", ""))
            except Denied as denied:
                return _refusal(request, RestError(401, "Unauthorized", str(denied)))
            refusal = RestError(500, "as it was told", "the simulator was told to answer so")
            return await self._book.moods.handle(request, answered, lambda status: _refusal(request, refusal, status))

        return answer

    async def create(self, request: web.Request) -> web.Response:
        options = ordered_options(await _document(request), self._book)
        leg = self._book.start(options).get_name()
        entry = self._entry(leg)
        log.info("outbound call %s placed", leg)
        created = {"uuid": leg, "status": "started", "direction": "outbound"}
        return web.json_response({**created, "conversation_uuid": entry.state.conversation}, status=201)

    async def list(self, request: web.Request) -> web.Response:
        """Filtered by `status` and `conversation_uuid`; one page."""
        wanted = request.query
        calls = [entry.state.resource() for entry in self._book.entries]
        for name in ("status", "conversation_uuid"):
            calls = [call for call in calls if name not in wanted or call[name] == wanted[name]]
        since, until = wanted.get("date_start", ""), wanted.get("date_end", "9")
        calls = [call for call in calls if since <= call["start_time"] <= until]
        if wanted.get("order", "asc") == "asc":
            calls.reverse()
        size = wanted.get("page_size", "10")
        if not size.isdigit() or not 1 <= int(size) <= 100:
            raise RestError(400, "Bad Request", "page_size is 1 to 100")
        page = {"count": len(calls), "page_size": int(size), "record_index": 0}
        return web.json_response({**page, "_embedded": {"calls": calls[: int(size)]}})

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(self._entry(request.match_info["leg"]).state.resource())

    async def update(self, request: web.Request) -> web.Response:
        entry, order = self._entry(request.match_info["leg"]), await _document(request)
        call = _running(entry)
        match order.get("action"):
            case "hangup":
                call.command(Command(ends=True))
            case "transfer":
                call.command(_destination(order.get("destination")))
            case "mute" | "unmute" | "earmuff" | "unearmuff":
                pass
            case action:
                raise RestError(400, "Bad Request", f"the action {action!r} is unknown")
        return web.Response(status=204)

    async def send_keys(self, request: web.Request) -> web.Response:
        entry, order = self._entry(request.match_info["leg"]), await _document(request)
        call, digits = _running(entry), order.get("digits")
        if not isinstance(digits, str) or not _KEYS.fullmatch(digits):
            raise RestError(400, "Bad Request", "digits are 0-9, *, #, and p")
        entry.keys.append(digits)
        if call.performing is not None:
            call.performing.press(digits)
        return web.json_response({"message": "DTMF sent", "uuid": entry.state.leg})

    async def talk(self, request: web.Request) -> web.Response:
        entry, order = self._entry(request.match_info["leg"]), await _document(request)
        call, text = _running(entry), order.get("text")
        if not isinstance(text, str) or not text:
            raise RestError(400, "Bad Request", "text is missing")
        if call.performing is not None:
            call.performing.say(text)
        return web.json_response({"message": "Talk started", "uuid": entry.state.leg})

    async def silence(self, request: web.Request) -> web.Response:
        entry = self._entry(request.match_info["leg"])
        call = _running(entry)
        if call.performing is not None:
            await call.performing.silence()
        return web.json_response({"message": "Talk stopped", "uuid": entry.state.leg})

    async def record(self, request: web.Request) -> web.Response:
        entry = self._book.in_conversation(request.match_info["conversation"])
        order = await _document(request)
        if entry is None:
            raise RestError(404, "Not Found", "no such conversation")
        performing, urls = _running(entry).performing, order.get("event_url")
        if order.get("action") not in ("start", "stop") or performing is None:
            raise RestError(400, "Bad Request", "the action is start or stop")
        if order["action"] == "start":
            channels = 2 if order.get("split") == "conversation" else 1
            performing.start_recording(urls[0] if isinstance(urls, list) and urls else None, channels)
        else:
            performing.stop_recording()
        return web.Response(status=204)

    async def recording(self, request: web.Request) -> web.Response:
        """The sound of one that is over."""
        found = self._book.recordings.by_file.get(request.match_info["file"])
        if found is None or found.ended_ms is None:
            raise RestError(404, "Not Found", "no such file")
        return web.Response(body=found.as_wav(), content_type="audio/wav")

    def _entry(self, leg: str) -> CallEntry:
        entry = self._book.find(leg)
        if entry is None:
            raise RestError(404, "Not Found", f"no call {leg}")
        return entry


def _running(entry: CallEntry) -> Any:
    if entry.call is None or entry.state.over:
        raise RestError(400, "Bad Request", "the call is not running any more")
    return entry.call


def _destination(destination: object) -> Command:
    """Raises: RestError, VonageFault."""
    if not isinstance(destination, dict) or destination.get("type") != "ncco":
        raise RestError(400, "Bad Request", "destination is of type ncco")
    if "ncco" in destination:
        ncco.read(destination["ncco"])
        return Command(ncco=destination["ncco"])
    urls = destination.get("url")
    if not isinstance(urls, list) or len(urls) != 1 or not isinstance(urls[0], str):
        raise RestError(400, "Bad Request", "destination has an ncco or a url")
    return Command(url=urls[0])


async def _document(request: web.Request) -> dict[str, Any]:
    try:
        document = json.loads(await request.read())
    except ValueError:
        raise RestError(400, "Bad Request", "the body is not JSON") from None
    if not isinstance(document, dict):
        raise RestError(400, "Bad Request", "the body is not an object")
    return document


def _refusal(request: web.Request, error: RestError, status: int | None = None) -> web.Response:
    status = status or error.status
    log.info("rest %s %s: %d %s", request.method, request.path, status, error)
    return web.json_response(error.body, status=status, content_type="application/problem+json")
