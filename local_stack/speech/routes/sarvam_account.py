"""What all of Sarvam's routes share: the key, languages, and errors in its shape.

A stand-in after the shapes of Sarvam's SDK; what its service does beyond them is not known here.
Source: https://pypi.org/project/sarvamai/0.1.39 (`types/error_details.py`, `types/*_language.py`)
"""

from __future__ import annotations

import secrets
from functools import wraps
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from local_stack.speech.errors import ApiError, Handler

PREFIX = "/sarvam"
KEY_HEADER = "api-subscription-key"
_HEARD = "en hi bn kn ml mr pa ta te gu as ur ne kok ks sd sa sat mni brx mai doi"
_SPOKEN = "bn en gu hi kn ml mr pa ta te"
HEARD_LANGUAGES = {f"{code}-IN" for code in _HEARD.split()}
"""All but Odia, which has two names: `or-IN` on the realtime socket, `od-IN` elsewhere."""
SPOKEN_LANGUAGES = {f"{code}-IN" for code in _SPOKEN.split()} | {"od-IN"}
ERROR_CODES = {
    400: "invalid_request_error",
    403: "invalid_api_key_error",
    404: "not_found_error",
    422: "unprocessable_entity_error",
    429: "rate_limit_exceeded_error",
    500: "internal_server_error",
    503: "model_call_error",
}
_SCRIPTS = (
    (0x0900, "hi-IN", "Deva"),
    (0x0980, "bn-IN", "Beng"),
    (0x0A00, "pa-IN", "Guru"),
    (0x0A80, "gu-IN", "Gujr"),
    (0x0B00, "od-IN", "Orya"),
    (0x0B80, "ta-IN", "Taml"),
    (0x0C00, "te-IN", "Telu"),
    (0x0C80, "kn-IN", "Knda"),
    (0x0D00, "ml-IN", "Mlym"),
)
BLOCK = 0x80


def script_begin(language: str) -> int | None:
    """Where the letters of a language's script begin in Unicode; None for Latin and what is not known."""
    if language == "mr-IN":
        language = "hi-IN"
    return next((begin for begin, code, _ in _SCRIPTS if code == language), None)


def identify(text: str) -> tuple[str | None, str | None]:
    """The code of the language and of the script of a text, by its letters."""
    for letter in text:
        for begin, language, script in _SCRIPTS:
            if begin <= ord(letter) < begin + BLOCK:
                return language, script
    return ("en-IN", "Latn") if any(letter.isascii() and letter.isalpha() for letter in text) else (None, None)


def check_key(request: web.Request) -> None:
    """Raises: ApiError 403."""
    if not request.headers.get(KEY_HEADER):
        raise ApiError(403, "no subscription key")


def refusal(error: ApiError) -> dict[str, Any]:
    """The body of an error. A fault that was ordered has the code of its status."""
    code = (
        error.code if error.code in ERROR_CODES.values() else ERROR_CODES.get(error.status, "internal_server_error")
    )
    return {"error": {"request_id": secrets.token_hex(8), "message": error.message, "code": code}}


def sarvams(handler: Handler) -> Handler:
    """A route that wants the key, and whose errors have Sarvam's shape."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            check_key(request)
            return await handler(request)
        except ApiError as error:
            return web.json_response(refusal(error), status=error.status)

    return answer


class Session(Protocol):
    """One end of a socket."""

    async def receive(self, data: str) -> bool:
        """Whether it goes on."""

    def end(self) -> None:
        """The other end is gone."""


async def converse(socket: web.WebSocketResponse, session: Session) -> None:
    """Until one side goes."""
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT and not await session.receive(message.data):
                break
    finally:
        session.end()


def one_of(body: dict[str, Any], name: str, known: set[str], default: str | None = None) -> str:
    """A field with a value that is known. Raises: ApiError 422."""
    value = body.get(name, default)
    if value not in known:
        raise ApiError(422, f"{name} must be one of {', '.join(sorted(known))}", param=name)
    return str(value)
