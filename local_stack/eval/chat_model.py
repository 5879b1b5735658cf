"""A language model behind an OpenAI-compatible endpoint, for callers that it plays and for calls that it judges.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from local_stack.eval.trouble import CannotEvaluate

_TIMEOUT: Final = aiohttp.ClientTimeout(total=120)
Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class ChatModel:
    """`url` ends with `/v1`."""

    session: aiohttp.ClientSession
    url: str
    model: str
    key: str = "local"

    async def text(self, messages: Messages, *, max_tokens: int = 120) -> str:
        """Raises: CannotEvaluate."""
        return await self._ask({"messages": list(messages), "max_tokens": max_tokens, "temperature": 0.3})

    async def document(self, messages: Messages, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer that fits the schema. Raises: CannotEvaluate."""
        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        answer = await self._ask(
            {"messages": list(messages), "max_tokens": 300, "temperature": 0, "response_format": form}
        )
        try:
            read = json.loads(answer)
        except ValueError:
            raise CannotEvaluate("the model's answer is not the JSON that was asked for") from None
        if not isinstance(read, dict):
            raise CannotEvaluate("the model's answer is not the object that was asked for")
        return read

    async def _ask(self, body: Mapping[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            async with self.session.post(
                f"{self.url}/chat/completions", json={"model": self.model, **body}, headers=headers, timeout=_TIMEOUT
            ) as response:
                if response.status != 200:
                    reason = " ".join((await response.text()).split())[:200]
                    raise CannotEvaluate(f"the model at {self.url} answered {response.status}: {reason}")
                choice = (await response.json())["choices"][0]
                return str(choice["message"]["content"] or "").strip()
        except (aiohttp.ClientError, TimeoutError, LookupError, TypeError, ValueError) as error:
            raise CannotEvaluate(
                f"the model at {self.url} gives no answer: {error or type(error).__name__}"
            ) from None
