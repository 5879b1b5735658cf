"""What Sarvam's voice agents can be told to do with a call: begin one; all else is told to the agent in the call.

Source: https://docs.sarvam.ai/voice-agents/api/instant-outbound
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from shared.adapters.sarvam.agents_api import AgentsApi, NoAnswer
from shared.adapters.sarvam.hooks import CALL_VARIABLE, number_of
from shared.adapters.sarvam.passes import call_pass
from shared.domain.errors import TelephonyError
from shared.domain.telephony.commands import Dial, DialUncertain, SendKeys, Transfer
from shared.domain.telephony.lines import Capability, Line, Unsupported
from shared.domain.telephony.progress import CallState

_CLOCKS_APART = timedelta(seconds=5)
_WINDOW = timedelta(minutes=15)
"""How old a call may be that an attempt of unknown age has begun."""
_LOOKED_AT = "100"
_LISTS = ("items", "interactions", "data", "results")
_DIALLED_NUMBER = ("user_phone_number", "user_identifier")


@dataclass(frozen=True, slots=True)
class OutboundAgent:
    """Who talks in the calls that we place. `result_url`: where we are told what became of one; behind it come our
    id of the call and its pass, which `secret` makes.
    """

    app_id: str
    app_version: int | None
    connection_id: str
    result_url: str
    secret: str = field(repr=False)

    def result_url_of(self, call_id: str) -> str:
        return f"{self.result_url}/{quote(call_id, safe='')}/{call_pass(self.secret, call_id)}"


class SamvaadCallControl:
    """Fills the port `CallControl`. `now`: the present moment, in UTC."""

    capabilities = frozenset({Capability.OUTBOUND})

    def __init__(
        self, api: AgentsApi, agent: OutboundAgent, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._api = api
        self._agent = agent
        self._now = now

    async def dial(self, dial: Dial) -> str:
        """There is no idempotency key, so this is tried once only."""
        path = self._api.workspace.path("outbounds/v1", "outbounds")
        try:
            answer = await self._api.post_once("dial", path, self._order(dial))
        except NoAnswer as error:
            raise DialUncertain(str(error)) from error
        attempt_id = _text(answer, "attempt_id")
        if not attempt_id:
            raise DialUncertain("dial: the answer names no attempt")
        return attempt_id

    async def find_dialled(self, dial: Dial) -> str | None:
        """By our id among the variables of the newest interactions; where those are not told, by the numbers.

        Raises: TelephonyError, also where several can be it.
        """
        by_numbers: list[str] = []
        for interaction in await self._interactions(dial):
            attempt_id = _text(interaction, "attempt_id") or _text(interaction, "interaction_id")
            ours = _call_id_of(interaction)
            if not attempt_id:
                continue
            if ours == dial.call_id:
                return attempt_id
            if not ours and dial.to in {number_of(interaction.get(name)) for name in _DIALLED_NUMBER}:
                by_numbers.append(attempt_id)
        if len(by_numbers) > 1:
            raise TelephonyError("dial_ambiguous", "several calls can be the one that was dialled", retryable=True)
        return by_numbers[0] if by_numbers else None

    async def state_of(self, provider_call_id: str) -> CallState | None:
        """An attempt cannot be asked about: its result is told, or nothing."""
        return None

    async def hang_up(self, provider_call_id: str) -> None:
        raise Unsupported(Line.SARVAM, Capability.HANG_UP)

    async def transfer(self, provider_call_id: str, transfer: Transfer) -> None:
        raise Unsupported(Line.SARVAM, Capability.COLD_TRANSFER)

    async def send_keys(self, provider_call_id: str, keys: SendKeys) -> None:
        raise Unsupported(Line.SARVAM, Capability.KEYS_OUT)

    async def record(self, provider_call_id: str, *, on: bool) -> None:
        raise Unsupported(Line.SARVAM, Capability.RECORDING)

    async def leave_message(self, provider_call_id: str, text: str, *, language: str) -> None:
        raise Unsupported(Line.SARVAM, Capability.VOICEMAIL_DETECTION)

    def _order(self, dial: Dial) -> dict[str, Any]:
        agent = self._agent
        version = {} if agent.app_version is None else {"app_version": agent.app_version}
        return {
            "app_config": {
                "app_id": agent.app_id,
                **version,
                "app_type": "agent",
                "connection_config": {
                    "connection_id": agent.connection_id,
                    "agent_phone_number": dial.caller_id,
                },
                "agent_variables": {CALL_VARIABLE: dial.call_id},
            },
            "user_config": {"user_phone_number": dial.to},
            "webhook_config": {
                "url": agent.result_url_of(dial.call_id),
                "metadata": {"call": dial.call_id, "attempt": dial.attempt_id},
            },
        }

    async def _interactions(self, dial: Dial) -> list[Mapping[str, Any]]:
        now = self._now()
        since = datetime.fromtimestamp(dial.asked_ms / 1000, UTC) - _CLOCKS_APART if dial.asked_ms else now - _WINDOW
        workspace = self._api.workspace
        path = f"/api/analytics/v1/{workspace.org_id}/{workspace.workspace_id}/{self._agent.app_id}/interactions"
        window = {"start_datetime": _moment(since), "end_datetime": _moment(now + _CLOCKS_APART)}
        answer = await self._api.get("find a call", path, {**window, "limit": _LOOKED_AT, "offset": "0"})
        if isinstance(answer, Mapping):
            answer = next((answer[name] for name in _LISTS if isinstance(answer.get(name), list)), [])
        return [entry for entry in answer if isinstance(entry, Mapping)] if isinstance(answer, list) else []


def _call_id_of(interaction: Mapping[str, Any]) -> str:
    for name in ("agent_variables", "final_agent_variables", "initial_agent_variables"):
        if called := _text(interaction.get(name), CALL_VARIABLE):
            return called
    return ""


def _text(document: object, name: str) -> str:
    value = document.get(name) if isinstance(document, Mapping) else None
    return value if isinstance(value, str) else ""


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
