"""Requests to addresses that a tenant has given us, which may be anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from shared.domain.errors import VoiceAgentError


class WebError(VoiceAgentError):
    """No answer came, or none that may be read.

    Codes: `web_address` for an address that we do not call (never sent), `web_unreachable` where no connection came
    about (never sent), `web_late`, `web_broken` and `web_too_large` (the other side may have acted).
    """

    stage: ClassVar[str] = "web"

    @property
    def was_sent(self) -> bool:
        """Whether the other side may have acted upon the request."""
        return self.code not in ("web_address", "web_unreachable")


@dataclass(frozen=True, slots=True)
class WebRequest:
    """`url`: https, absolute, without user and password. `deadline_s`: for the whole of it, the name's resolution
    and the answer's last byte included.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    deadline_s: float = 10.0
    most_bytes: int = 64 * 1024
    """Of the answer's body."""
    cuts: bool = False
    """Whether a longer body is cut there; else it is `web_too_large`."""


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """`headers`: by their names in lower case; of several, the last one."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class WebRequests(Protocol):
    async def send(self, request: WebRequest) -> WebAnswer:
        """The answer, whatever its status; a redirection is an answer too, and is not followed.

        The name is resolved once, each of its addresses must be one of the public internet, and the connection goes
        to just those. Raises: WebError.
        """
        ...
