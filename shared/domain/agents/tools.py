"""The tools that an agent may use, as its document declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from annotated_types import Len

from shared.domain.agents.values import DeadlineSeconds, Description, JsonSchema, Name, Phrase, WebUrl, closed
from shared.domain.telephony.commands import TransferKind


class Effect(StrEnum):
    """What a tool does to the world."""

    READS = "reads"
    """Nothing: it may be called while the caller still speaks, and again."""
    CHANGES = "changes"
    """Something that can be undone: only when the caller's turn is over."""
    IRREVERSIBLE = "irreversible"
    """Only after the caller has confirmed it."""


class HttpMethod(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class BuiltIn(StrEnum):
    """What the house itself can do."""

    TRANSFER = "transfer"
    HANG_UP = "hang_up"
    SEND_SMS = "send_sms"
    SCHEDULE_CALLBACK = "schedule_callback"
    LOOK_UP_CALLER = "look_up_caller"
    TAKE_MESSAGE = "take_message"


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTool:
    """One operation over HTTPS. `parameters` describe what the model gives; `{name}` in `url` is filled in from
    them, what is left goes into the query of GET and DELETE, else into a JSON body. `secret`: the name of the key
    that signs the request. `idempotent`: it may be sent again when nobody knows what came of it.
    """

    name: Name
    description: Description
    url: WebUrl
    method: HttpMethod = HttpMethod.POST
    parameters: JsonSchema = field(default_factory=lambda: {"type": "object", "properties": {}})
    effect: Effect = Effect.CHANGES
    idempotent: bool = False
    deadline_s: DeadlineSeconds = 5.0
    secret: Annotated[str, Len(0, 64)] = ""
    filler: Annotated[str, Len(0, 200)] = ""
    """What is said while it runs, if it takes long."""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApiTool:
    """Some operations of an OpenAPI 3 document. `effects`: by operation; GET reads, all others change."""

    name: Name
    document: Mapping[str, Any]
    operations: Annotated[tuple[Annotated[str, Len(1, 200)], ...], Len(1, 50)]
    effects: Mapping[str, Effect] = field(default_factory=dict)
    deadline_s: DeadlineSeconds = 5.0
    secret: Annotated[str, Len(0, 64)] = ""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """Tools of a server that speaks the Model Context Protocol over streamable HTTP. Only those in `allow` are
    offered; `effects`: by tool, else as the server's annotations say.
    """

    name: Name
    url: WebUrl
    allow: Annotated[tuple[Annotated[str, Len(1, 128)], ...], Len(1, 50)]
    effects: Mapping[str, Effect] = field(default_factory=dict)
    deadline_s: DeadlineSeconds = 10.0
    secret: Annotated[str, Len(0, 64)] = ""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInTool:
    """`description`: when to use it, in the company's words."""

    name: BuiltIn
    description: Annotated[str, Len(0, 1_000)] = ""
    destinations: Annotated[Mapping[Phrase, str], Len(0, 50)] = field(default_factory=dict)
    """Of a transfer: numbers (E.164) by what the model calls them. The model never gives a number itself."""
    kind: TransferKind = TransferKind.COLD
    """Of a transfer. From a warm one the caller comes back to the agent if nobody answers."""
    whisper: Annotated[str, Len(0, 500)] = ""
    """Of a warm transfer: what the person hears before the caller is put through, in the company's words."""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    http: Annotated[tuple[HttpTool, ...], Len(0, 50)] = ()
    openapi: Annotated[tuple[OpenApiTool, ...], Len(0, 10)] = ()
    mcp: Annotated[tuple[McpServer, ...], Len(0, 10)] = ()
    built_in: Annotated[tuple[BuiltInTool, ...], Len(0, 10)] = ()
