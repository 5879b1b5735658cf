"""Answers by `/chat/completions`, streamed. Source: https://platform.openai.com/docs/api-reference/chat-streaming"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from shared.adapters.openai.wire import OpenAIWire, Refused, translated
from shared.domain.errors import LanguageModelError
from shared.domain.json_text import whole
from shared.ports.language_model import Message

_FIRST_TOKEN_DEADLINE_S = 10.0
_NEXT_TOKEN_DEADLINE_S = 5.0
OPTIONS: Mapping[str, Any] = {"temperature": 0.3, "seed": 1, "max_completion_tokens": 300}
"""The seed: so that an answer which a crash cut off begins the same when it is asked for again, if the model can."""


class OpenAILanguageModel:
    """Fills the port `LanguageModel` without an SDK between, which would take three times the processor time.

    `first_token_s` and `next_token_s`: how long the model may be silent. Options that a model does not know are
    left out from the first refusal on.
    """

    def __init__(
        self,
        wire: OpenAIWire,
        *,
        model: str,
        options: Mapping[str, Any] = OPTIONS,
        first_token_s: float = _FIRST_TOKEN_DEADLINE_S,
        next_token_s: float = _NEXT_TOKEN_DEADLINE_S,
    ) -> None:
        self.wire = wire
        self._model = model
        self._first_token_s = first_token_s
        self._next_token_s = next_token_s
        self._options: dict[str, Any] = dict(options)

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[str, None]:
        """One provider has nobody to race: `late_after_ms` is for those that have."""
        clock = asyncio.get_running_loop().time
        async with (
            translated("answer", LanguageModelError),
            asyncio.timeout(self._first_token_s) as deadline,
            aclosing(self._stream(messages, call_id)) as tokens,
        ):
            async for token in tokens:
                deadline.reschedule(None)  # the consumer's pace is not the provider's
                yield token
                deadline.reschedule(clock() + self._next_token_s)

    async def _stream(self, messages: Sequence[Message], call_id: str) -> AsyncGenerator[str, None]:
        headers = await self.wire.headers(call_id) | {"Content-Type": "application/json"}
        url = self.wire.url("/chat/completions", self._model)
        while True:
            try:
                async with self.wire.stream(url, self._request(messages), headers) as response:
                    async for token in _tokens(response.content.iter_any()):
                        yield token
                return
            except Refused as refusal:
                if self._options.pop(refusal.parameter, None) is None:
                    raise

    def _request(self, messages: Sequence[Message]) -> bytes:
        conversation = [{"role": message.role, "content": message.text} for message in messages]
        return json.dumps({"model": self._model, "messages": conversation, "stream": True, **self._options}).encode()

    async def close(self) -> None:
        """Close its connections."""
        await self.wire.close()


async def _tokens(pieces: AsyncIterable[bytes]) -> AsyncGenerator[str, None]:
    """The text in server-sent events. Raises: LanguageModelError for an answer that has an error in it, or no end."""
    pending, complete = b"", False
    async for piece in pieces:
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:") or line[5:].strip() == b"[DONE]":
                continue
            event = json.loads(line[5:])
            if "error" in event:
                raise LanguageModelError("openai_failed", "an error within the answer", retryable=True)
            for choice in event.get("choices", ())[:1]:
                if text := (choice.get("delta") or {}).get("content"):
                    yield whole(text)
                complete = complete or bool(choice.get("finish_reason"))
    if not complete:
        raise LanguageModelError("openai_unavailable", "the answer has no end", retryable=True)
