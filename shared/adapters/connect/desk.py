"""Where Amazon Connect's questions are taken in: checked, read, and answered in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.adapters.connect.contact_events import ContactEvent, read_contact_event
from shared.adapters.connect.flow_answers import flow_answer, mode_of
from shared.adapters.connect.flow_events import FlowRequest, read_flow_event
from shared.adapters.connect.lex import LexRequest, lex_answer, read_lex_event
from shared.adapters.connect.webhooks import ConnectWebhooks
from shared.domain.telephony.lines import Line
from shared.domain.telephony.text_turns import TextReply

Question = TypeVar("Question")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Question]):
    """What is asked, and how much time our function on AWS has left for the answer (0: it does not say)."""

    question: Question
    remaining_ms: int


@dataclass(frozen=True, slots=True)
class ConnectDesk:
    """Each method that reads raises: Unauthenticated for what does not come from one of our instances by way of our
    function, InvalidRequest, StoreError.
    """

    webhooks: ConnectWebhooks

    async def flow(self, path: str, headers: Mapping[str, str], body: bytes) -> Asked[FlowRequest]:
        brought = await self.webhooks.verify(method="POST", path=path, headers=headers, body=body)
        question = read_flow_event(brought.event)
        self.webhooks.check_instance(question.instance_arn)
        return Asked(question, brought.remaining_ms)

    async def lex(self, path: str, headers: Mapping[str, str], body: bytes, now_ms: float) -> Asked[LexRequest]:
        brought = await self.webhooks.verify(method="POST", path=path, headers=headers, body=body)
        question = read_lex_event(brought.event, now_ms)
        self.webhooks.check_instance(question.instance_arn)
        return Asked(question, brought.remaining_ms)

    async def contact_event(self, path: str, headers: Mapping[str, str], body: bytes) -> ContactEvent:
        brought = await self.webhooks.verify(method="POST", path=path, headers=headers, body=body)
        event = read_contact_event(brought.event)
        self.webhooks.check_instance(event.instance_arn)
        return event

    def mode_of(self, line: Line) -> str:
        """Who asks us during a call: the flow (`turn`), or its bot (`lex`)."""
        return mode_of(line)

    def tell_flow(self, reply: TextReply, question: FlowRequest) -> dict[str, str]:
        return flow_answer(reply, question)

    def tell_lex(self, reply: TextReply, question: LexRequest, now_ms: float) -> dict[str, Any]:
        return lex_answer(reply, question, now_ms=now_ms)
