"""What our function on AWS brings: checked for its signature, its freshness, and the instance that it speaks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.connect.signature import WINDOW_S, check
from shared.domain.errors import InvalidRequest, Unauthenticated
from shared.domain.json_text import read_json
from shared.ports.once import Once

MAX_BODY_BYTES = 256 * 1024
"""An event carries up to 32 KB of contact attributes, and escapes them."""
_DEEPEST_REMAINING_MS = 60_000


@dataclass(frozen=True, slots=True)
class Brought:
    """A verified request: `event` is what AWS gave our function, which has `remaining_ms` left for the answer."""

    event: dict[str, Any]
    request_id: str
    remaining_ms: int


class ConnectWebhooks:
    """`secrets`: the current one, and the one before while it is rotated. `instance_arns`: those that may ask us."""

    def __init__(
        self,
        *,
        secrets: tuple[str, ...],
        instance_arns: frozenset[str],
        once: Once,
        now_s: Callable[[], float],
    ) -> None:
        self._secrets = secrets
        self._instance_arns = instance_arns
        self._once = once
        self._now_s = now_s

    async def verify(self, *, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Brought:
        """Raises: Unauthenticated for what is unsigned, stale or a repetition; InvalidRequest; StoreError."""
        if len(body) > MAX_BODY_BYTES:
            raise InvalidRequest("body_too_large", f"a request has at most {MAX_BODY_BYTES} bytes")
        signed = check(self._secrets, headers, method=method, path=path, body=body, now_s=self._now_s())
        if not await self._once.take(f"connect:{signed.nonce}", lifetime_s=2 * WINDOW_S):
            raise Unauthenticated("connect_replayed", "this request was made before")
        try:
            document = read_json(body)
        except (ValueError, RecursionError):
            raise InvalidRequest("json_malformed", "the body is not JSON") from None
        event = document.get("event") if isinstance(document, dict) else None
        if not isinstance(event, dict):
            raise InvalidRequest("event_malformed", "the body holds no event")
        remaining = document.get("remaining_ms")
        return Brought(
            event=event,
            request_id=str(document.get("request_id", ""))[:128],
            remaining_ms=min(remaining, _DEEPEST_REMAINING_MS) if isinstance(remaining, int) else 0,
        )

    def check_instance(self, instance_arn: str) -> None:
        """Raises: Unauthenticated for an instance that is not ours."""
        if instance_arn not in self._instance_arns:
            raise Unauthenticated("connect_instance", "the request is for another instance")
