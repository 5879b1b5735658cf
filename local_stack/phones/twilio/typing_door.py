"""Where the words of a caller who types come in."""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web

from local_stack.phones.twilio.call_book import CallBook
from local_stack.phones.twilio.call_state import TypedWords

_LONGEST: Final = 10_000


def add_routes(app: web.Application, book: CallBook) -> None:
    """`POST /_local/twilio/typed/{sid}`, JSON: `text` and, if the line would know it, `language`. 204; 404 where no
    such call is typed.
    """

    async def type_in(request: web.Request) -> web.Response:
        sid = request.match_info["sid"]
        entry = book.find(sid)
        call = None if entry is None else entry.call
        if call is None or call.state.over or not call.options.is_typed:
            return _refusal(404, f"no call {sid} is typed")
        try:
            call.state.typed.append(_words(json.loads(await request.read())))
        except ValueError as error:
            return _refusal(400, str(error))
        return web.Response(status=204)

    app.router.add_post("/_local/twilio/typed/{sid}", type_in)


def _words(value: object) -> TypedWords:
    """Raises: ValueError, one line."""
    if not isinstance(value, dict) or not set(value) <= {"text", "language"}:
        raise ValueError("the body is a JSON object with text and, where wanted, language")
    text, language = value.get("text"), value.get("language", "")
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise ValueError(f"text is missing, empty, or longer than {_LONGEST} characters")
    if not isinstance(language, str):
        raise ValueError("language is not a text")
    return TypedWords(text.strip(), language)


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
