"""The app's own account of a call, asked from its API as any operator would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

TokenSource = Callable[[], Awaitable[str]]
"""Gives a bearer token; raises an exception with a one-line message where it cannot."""

_TIMEOUT_S: Final = 5.0
_FINAL_STATES: Final = frozenset({"completed", "failed"})


class ApiUnreachable(Exception):
    """The API gave no usable answer; the message is one line."""


@dataclass(frozen=True)
class AppTurn:
    """A turn as the app tells it. Moments are Unix epoch milliseconds; those not yet known are missing.

    `waited_ms` are the parts of the wait for the first sound, in order, and their sum is the wait; `prepared_ms`
    says how long before the end of the turn something was ready already.
    """

    number: int
    heard: str
    said: str
    outcome: str
    moments: dict[str, float]
    waited_ms: dict[str, float] = field(default_factory=dict)
    prepared_ms: dict[str, float] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.outcome != "running"


@dataclass(frozen=True)
class AppCall:
    call_id: str
    state: str
    end_reason: str
    turns: tuple[AppTurn, ...]

    @property
    def over(self) -> bool:
        """Nothing more is to come."""
        return self.state in _FINAL_STATES and all(turn.over for turn in self.turns)


def read_call(value: Any) -> AppCall:
    """Reads the JSON of one call. Raises: ApiUnreachable if it is something else."""
    try:
        turns = tuple(
            AppTurn(
                number=int(turn["number"]),
                heard=(turn.get("heard") or "").strip(),
                said=(turn.get("said") or "").strip(),
                outcome=str(turn.get("outcome") or "running"),
                moments=_amounts(turn.get("moments")),
                waited_ms=_amounts((turn.get("latency") or {}).get("parts_ms")),
                prepared_ms=_amounts((turn.get("latency") or {}).get("prepared_ms")),
                costs=_amounts(turn.get("costs")),
            )
            for turn in value.get("turns") or []
        )
        return AppCall(str(value["call_id"]), str(value["state"]), str(value.get("end_reason") or ""), turns)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ApiUnreachable(f"the API's answer is not a call: {error!r}") from None


def _amounts(value: dict[str, Any] | None) -> dict[str, float]:
    return {name: float(amount) for name, amount in (value or {}).items() if amount is not None}


class AppApi:
    """`GET /api/calls` of one app."""

    def __init__(self, session: aiohttp.ClientSession, app_url: str, token_source: TokenSource) -> None:
        self._session = session
        self._app_url = app_url.rstrip("/")
        self._token_source = token_source
        self._token: str | None = None
        self._call_id: str | None = None

    async def call_of(self, provider_call_id: str) -> AppCall | None:
        """The call under the carrier's id, or None while the app does not know it. Raises: ApiUnreachable."""
        if self._call_id is None:
            found = await self._get("/api/calls", {"provider_call_id": provider_call_id})
            calls = found.get("calls") if isinstance(found, dict) else None
            if not calls:
                return None
            self._call_id = read_call(calls[0]).call_id
        return read_call(await self._get(f"/api/calls/{self._call_id}", {}))

    async def _get(self, path: str, query: dict[str, str]) -> Any:
        try:
            if self._token is None:
                self._token = await self._token_source()
            headers = {"Authorization": f"Bearer {self._token}"}
            timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
            url = self._app_url + path
            async with self._session.get(url, params=query, headers=headers, timeout=timeout) as response:
                if response.status != 200:
                    self._token = None if response.status == 401 else self._token
                    raise ApiUnreachable(f"{url} answered {response.status}")
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise ApiUnreachable(f"{self._app_url} gives no answer: {reason}") from None
