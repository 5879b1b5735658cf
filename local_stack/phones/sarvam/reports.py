"""What is told when a call is over: the on-end hook, and the result, in each of its forms.

Source: https://docs.sarvam.ai/voice-agents/api/deployments/webhooks/webhook-payload and its neighbours
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from local_stack.phones.sarvam.hooks import HookSender
from local_stack.phones.sarvam.misbehaviour import Misbehaviour
from local_stack.phones.sarvam.options import CallOptions, Direction
from local_stack.phones.sarvam.state import CallState

_EMPTY_ENDS: Final = 3
Transcript = Sequence[tuple[str, str]]


class Reports:
    """Of one call. `context`: as the tools have left it."""

    def __init__(self, options: CallOptions, state: CallState, sender: HookSender, urls: dict[str, str]) -> None:
        self._options = options
        self._state = state
        self._sender = sender
        self._urls = urls

    async def tell(self, context: dict[str, Any], transcript: Transcript) -> None:
        """All that is to be told, in the order in which it is."""
        steps = [self._end, self._result]
        if Misbehaviour.RESULT_FIRST in self._options.misbehaviours:
            steps.reverse()
        for step in steps:
            await step(context, transcript)

    async def _end(self, context: dict[str, Any], transcript: Transcript) -> None:
        wayward = self._options.misbehaviours
        if Misbehaviour.NO_END in wayward or self._state.answered_ms is None:
            return
        if Misbehaviour.EMPTY_END in wayward:
            for _ in range(_EMPTY_ENDS):
                await self._sender.end(self._urls["end"], b"", attempts=1)
            return
        document = {
            "context": {
                **{name: context.get(name) for name in _KEPT},
                "interaction_transcript": {
                    "interaction_transcript": turns_of(transcript),
                    "interaction_start_time": _moment(self._state.answered_ms),
                    "interaction_end_time": _moment(self._state.ended_ms),
                },
                "retry_interaction": False,
            }
        }
        await self._sender.end(self._urls["end"], json.dumps(document).encode())

    async def _result(self, context: dict[str, Any], transcript: Transcript) -> None:
        wayward, url = self._options.misbehaviours, self._urls["result"]
        if Misbehaviour.NO_RESULT in wayward:
            return
        if Misbehaviour.EMPTY_RESULT in wayward:
            await self._sender.result(url, b"")
            return
        if Misbehaviour.MALFORMED_RESULT in wayward:
            await self._sender.result(url, b'{"attempt_id": 7, "status": ["connected"]')
            return
        body = json.dumps(self.result(context, transcript)).encode()
        for _ in range(2 if Misbehaviour.REPEATED_RESULT in wayward else 1):
            await self._sender.result(url, body)

    def result(self, context: dict[str, Any], transcript: Transcript) -> dict[str, Any]:
        """The body, by the kind of call."""
        options, state = self._options, self._state
        spoken = {
            "duration": state.duration_s,
            "interaction_id": options.interaction_id if state.answered_ms is not None else None,
            "final_agent_variables": context.get("agent_variables") or {},
            "interaction_transcript": turns_of(transcript) or None,
        }
        numbers = {"user_phone_number": options.user_number, "agent_phone_number": options.agent_number}
        agent = {"app_id": options.account.app_id, "app_version": options.app_version}
        failure = {"failure_reason": state.failure_reason or None}
        if Misbehaviour.CAMPAIGN_RESULT in options.misbehaviours:
            reached = state.status == "connected"
            return {
                **agent,
                "attempt_id": options.name,
                "campaign_id": "campaign-1",
                "cohort_id": "cohort-1",
                "completion_status": "completed" if reached else "failed",
                "connectivity_status": state.status,
                "next_action_status": None,
                "user_identifier": options.user_number,
                **numbers,
                **failure,
                **spoken,
            }
        if options.direction is Direction.INBOUND:
            times = {"start_datetime": _moment(state.answered_ms), "end_datetime": _moment(state.ended_ms)}
            return {**agent, "deployment_id": "deployment-1", **numbers, **spoken, **times}
        return {
            "attempt_id": options.attempt_id,
            "status": state.status,
            "channel_info": {"provider": "local"},
            **failure,
            "webhook_config": {"url": options.result_url, "metadata": dict(options.metadata)},
            **spoken,
        }


_KEPT: Final = (
    "agent_variables",
    "internal_variables",
    "engagement_metadata",
    "user_identifier",
    "provider_ref_id",
)


def turns_of(transcript: Transcript) -> list[dict[str, str]]:
    return [{"role": role, "en_text": text} for role, text in transcript if text]


def _moment(at_ms: float | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
