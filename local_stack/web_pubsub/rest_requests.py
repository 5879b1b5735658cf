"""What REST operations have in common: their query parameters, bodies and refusals."""

from __future__ import annotations

from aiohttp import web

from local_stack.web_pubsub.messages import DATA_TYPES, Payload
from local_stack.web_pubsub.odata_filter import InvalidFilter, parse_filter
from local_stack.web_pubsub.registry import Condition

_MAX_TTL_S = 300


class BadRequest(Exception):
    """A REST call that cannot be served; the message is one line."""

    def __init__(self, message: str, *, status: int = 400, code: str = "BadRequest") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


async def read_payload(request: web.Request) -> Payload:
    """The message in a `:send` request. Raises: BadRequest."""
    data_type = DATA_TYPES.get(request.content_type)
    if data_type is None or data_type == "protobuf":
        raise BadRequest(
            f"The content type {request.content_type} is not supported.",
            status=415,
            code="UnsupportedMediaType",
        )
    data = await request.read()
    if data_type != "binary":
        try:
            data.decode()
        except UnicodeDecodeError as error:
            raise BadRequest("The body is not UTF-8.") from error
    if data_type == "json" and not data.strip():
        raise BadRequest("The JSON body is empty.")
    return Payload(data_type, data)


def ttl_s(request: web.Request) -> int | None:
    """The `messageTtlSeconds` parameter, None if absent or 0. Raises: BadRequest."""
    text = request.query.get("messageTtlSeconds")
    if text is None:
        return None
    if not text.isdecimal() or int(text) > _MAX_TTL_S:
        raise BadRequest(f"messageTtlSeconds must be between 0 and {_MAX_TTL_S}.")
    return int(text) or None


def whole_number(request: web.Request, name: str, maximum: int) -> int | None:
    """A parameter from 1 to `maximum`, None if absent. Raises: BadRequest."""
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise BadRequest(f"{name} must be between 1 and {maximum}.")
    return int(text)


def excluded(request: web.Request) -> frozenset[str]:
    """The connections that the call leaves out."""
    return frozenset(request.query.getall("excluded", []))


def condition(text: str | None) -> Condition | None:
    """The condition in an OData filter, None if there is no filter. Raises: BadRequest."""
    if not text:
        return None
    try:
        return parse_filter(text)
    except InvalidFilter as error:
        raise BadRequest(f"The filter is invalid: {error}.", code="InvalidFilter") from error
