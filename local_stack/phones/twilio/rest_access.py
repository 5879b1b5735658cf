"""Who may use the carrier's REST API, and how it answers when something is wrong."""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from multidict import MultiDictProxy

from local_stack.phones.moods import Moods
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.call_book import CallBook
from local_stack.phones.twilio.resources import RestError, not_found
from local_stack.phones.twilio.verbs import Callback

log = logging.getLogger(__name__)

Form = MultiDictProxy[str]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_TROUBLES: Final = {
    429: (20429, "Too Many Requests"),
    500: (20500, "Internal Server Error"),
    503: (20503, "Service Unavailable"),
}


class Door:
    """Basic authentication by an account's token, errors in the carrier's own JSON, and moods."""

    def __init__(self, book: CallBook) -> None:
        self.book = book
        self.moods = Moods()

    def guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            try:
                self._authenticate(request)
                response = await handler(request)
            except RestError as error:
                log.info("rest %s %s: %d %s", request.method, request.path, error.code, error.message)
                return _refusal(error)
            return response if isinstance(response, web.Response) else web.Response(status=500)

        async def moody(request: web.Request) -> web.Response:
            return await self.moods.handle(
                request, answer, lambda status: _refusal(RestError(status, *_TROUBLES[status]))
            )

        return moody

    def _authenticate(self, request: web.Request) -> None:
        """An account gets at what is its own, and its subaccounts'."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
        except ValueError:
            given = b""
        sid = given.partition(b":")[0].decode(errors="replace")
        account = self.book.accounts.get(sid)
        if account is None or not hmac.compare_digest(given, f"{sid}:{account.auth_token}".encode()):
            raise RestError(401, 20003, "Authenticate")
        wanted = self.book.accounts.get(request.match_info.get("account", sid))
        if wanted is None or sid not in (wanted.sid, wanted.owner_sid):
            raise not_found(request.path)

    def account_of(self, request: web.Request) -> Account:
        """The account whose path is used."""
        return self.book.accounts[request.match_info["account"]]


def _refusal(error: RestError) -> web.Response:
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else None
    return web.json_response(error.to_json(), status=error.status, headers=headers)


async def form_of(request: web.Request) -> Form:
    """The form body. Raises: RestError for anything else."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise RestError(415, 20415, "Content-Type must be application/x-www-form-urlencoded")
    posted = await request.post()
    return MultiDictProxy(posted.copy())  # type: ignore[arg-type]


def url_in(form: Form, name: str) -> str | None:
    url = form.get(name)
    if url and not url.startswith(("http://", "https://")):
        raise RestError(400, 21205, f"{name} is not a valid URL: {url}")
    return url or None


def method_in(form: Form, name: str) -> str:
    method = form.get(name, "POST").upper()
    if method not in ("GET", "POST"):
        raise RestError(400, 21403, f"{name} must be GET or POST")
    return method


def flag_in(form: Form, name: str, default: bool = False) -> bool:
    value = form.get(name, str(default)).lower()
    if value not in ("true", "false"):
        raise RestError(400, 20001, f"{name} is true or false")
    return value == "true"


def whole_in(form: Form, name: str, default: int, lowest: int, highest: int) -> int:
    value = form.get(name, str(default))
    if not value.isdecimal() or not lowest <= int(value) <= highest:
        raise RestError(400, 20001, f"{name} is a whole number from {lowest} to {highest}")
    return int(value)


def events_in(form: Form, name: str, known: frozenset[str], default: str, code: int = 20001) -> frozenset[str]:
    """The field is repeated, one event each; some clients join them with spaces."""
    named = {event for value in form.getall(name, []) for event in value.split()}
    if unknown := named - known:
        raise RestError(400, code, f"Unknown {name} {sorted(unknown)[0]}")
    return frozenset(named) or frozenset({default})


def callback_in(form: Form, name: str, known: frozenset[str], default: str) -> Callback | None:
    """An address with `…Method` and `…Event` beside it."""
    url = url_in(form, name)
    events = events_in(form, f"{name}Event", known, default)
    return None if url is None else Callback(url, method_in(form, f"{name}Method"), events)


def page(request: web.Request, name: str, items: list[dict[str, object]]) -> web.Response:
    """One page of a list, with what stands around it."""
    size = request.query.get("PageSize", "50")
    if not size.isdigit() or not 1 <= int(size) <= 1000:
        raise RestError(400, 20001, f"Invalid PageSize {size}")
    around = {"page": 0, "page_size": int(size), "next_page_uri": None, "uri": request.path_qs}
    return web.json_response({name: items[: int(size)], **around, "first_page_uri": request.path_qs})
