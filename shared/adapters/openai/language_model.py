"""Answers by `/chat/completions`, streamed. Source: https://platform.openai.com/docs/api-reference/chat-streaming"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from shared.adapters.openai.chat_request import body_of
from shared.adapters.openai.wire import OpenAIWire, Refused, translated
from shared.domain.errors import ContentRefused, LanguageModelError
from shared.domain.json_text import whole
from shared.domain.tool_call_pieces import ToolCallPieces
from shared.ports.language_model import PLAIN, Message, ToolCall, Usage, Wish

_FIRST_TOKEN_DEADLINE_S = 10.0
_NEXT_TOKEN_DEADLINE_S = 5.0
_FILTERED = "content_filter"
OPTIONS: Mapping[str, Any] = {
    "temperature": 0.3,
    "seed": 1,
    "max_completion_tokens": 300,
    "stream_options": {"include_usage": True},
}
"""The seed: so that an answer which a crash cut off begins the same when it is asked for again, if the model can."""


class OpenAILanguageModel:
    """Fills the port `LanguageModel` without an SDK between, which would take three times the processor time.

    `provider`: its name in what an answer cost. `first_token_s` and `next_token_s`: how long the model may be silent.
    `retries`: see `OpenAIWire.stream`. Options that a model does not know are left out from the first refusal on.
    """

    def __init__(
        self,
        wire: OpenAIWire,
        *,
        model: str,
        provider: str = "openai",
        options: Mapping[str, Any] = OPTIONS,
        retries: int | None = None,
        first_token_s: float = _FIRST_TOKEN_DEADLINE_S,
        next_token_s: float = _NEXT_TOKEN_DEADLINE_S,
    ) -> None:
        self.wire = wire
        self._model = model
        self._provider = provider
        self._retries = retries
        self._first_token_s = first_token_s
        self._next_token_s = next_token_s
        self._options: dict[str, Any] = dict(options)

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, wish: Wish = PLAIN
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        """One provider has nobody to race: `late_after_ms` and `models` are for those that have."""
        clock = asyncio.get_running_loop().time
        async with (
            translated("answer", LanguageModelError),
            asyncio.timeout(max(self._first_token_s, wish.patience_s)) as deadline,
            aclosing(self._stream(messages, call_id, wish)) as items,
        ):
            async for item in items:
                deadline.reschedule(None)  # the consumer's pace is not the provider's
                yield item
                deadline.reschedule(clock() + max(self._next_token_s, wish.patience_s))

    async def _stream(
        self, messages: Sequence[Message], call_id: str, wish: Wish
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        headers = await self.wire.headers(call_id) | {"Content-Type": "application/json"}
        url = self.wire.url("/chat/completions", self._model)
        while True:
            body = body_of(self._model, messages, wish, self._options)
            try:
                async with self.wire.stream(url, body, headers, retries=self._retries) as response:
                    reading = _Reading(self._provider, self._model)
                    async for item in reading.items(response.content.iter_any()):
                        yield item
                return
            except Refused as refusal:
                if refusal.code == _FILTERED:
                    raise ContentRefused("content_refused", "the provider's filter refused the question") from None
                if self._options.pop(refusal.parameter, None) is None:
                    raise

    async def close(self) -> None:
        """Close its connections."""
        await self.wire.close()


class _Reading:
    """One answer, as it comes in server-sent events."""

    def __init__(self, provider: str, model: str) -> None:
        self._provider = provider
        self._model = model
        self._calls = ToolCallPieces()
        self._complete = False
        self._usage: Usage | None = None

    async def items(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[str | ToolCall | Usage, None]:
        """Raises: LanguageModelError for an answer that has an error in it, is filtered, or has no end."""
        pending = b""
        async for piece in pieces:
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                if not line.startswith(b"data:") or line[5:].strip() == b"[DONE]":
                    continue
                event = json.loads(line[5:])
                if "error" in event:
                    raise _failed(event["error"])
                for choice in event.get("choices", ())[:1]:
                    delta = choice.get("delta") or {}
                    if text := delta.get("content"):
                        yield whole(text)
                    elif len(delta) > 0:
                        self._take(delta)
                    if reason := choice.get("finish_reason"):
                        self._end(reason)
                if usage := event.get("usage"):
                    self._note(usage)
        if not self._complete:
            raise LanguageModelError("openai_unavailable", "the answer has no end", retryable=True)
        for call in self._calls.calls():
            yield ToolCall(*call)
        if self._usage is not None:
            yield self._usage

    def _take(self, delta: Mapping[str, Any]) -> None:
        """What comes where there is no text."""
        if delta.get("refusal"):
            raise ContentRefused("content_refused", "the model refused")
        for piece in delta.get("tool_calls") or ():
            self._calls.add_delta(piece)

    def _end(self, reason: str) -> None:
        if reason == _FILTERED:
            raise ContentRefused("content_refused", "the provider's filter cut the answer off")
        self._complete = True

    def _note(self, usage: Mapping[str, Any]) -> None:
        """Some providers tell what has been used so far with every event: the last one counts."""
        used = (int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))
        if any(used):
            self._usage = Usage(self._provider, self._model, *used)


def _failed(error: Any) -> LanguageModelError:
    if isinstance(error, Mapping) and error.get("code") == _FILTERED:
        return ContentRefused("content_refused", "the provider's filter cut the answer off")
    return LanguageModelError("openai_failed", "an error within the answer", retryable=True)
