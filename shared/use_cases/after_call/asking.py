"""Asks a model for JSON that fits a schema; an answer that does not is told so, once, and given anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.domain.after_call import prompts
from shared.domain.after_call.records import Questions
from shared.domain.errors import InvalidRequest, LanguageModelError
from shared.domain.json_text import read_json
from shared.domain.tools.arguments import faults_of_arguments
from shared.ports.language_model import LanguageModel, Message, ToolCall, Usage, Wish

_ANSWERS = 2
_LONGEST_ANSWER = 48 * 1024
_LONGEST_TOKENS = 4_000
"""What models are given for the ear of a caller would cut a report off in the middle."""
DEADLINE_S = 90.0
"""Of one answer."""

_Read = TypeVar("_Read")


class Unfit(Exception):
    """No answer fitted; `faults` say why not, without what was said in the call."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(slots=True)
class Tally:
    """What was asked so far, and what it took; an answer may have used several models."""

    used: list[Usage] = field(default_factory=list)
    asked: int = 0

    def questions(self) -> Questions:
        models = dict.fromkeys(f"{each.provider}/{each.model}" for each in self.used)
        tokens_in = sum(each.input_tokens for each in self.used)
        return Questions(", ".join(models), self.asked, tokens_in, sum(each.output_tokens for each in self.used))


@dataclass(frozen=True, slots=True)
class Asking:
    """`models`: of the agent's document."""

    model: LanguageModel
    call_id: str
    models: tuple[Any, ...]
    tally: Tally
    deadline_s: float = DEADLINE_S

    async def __call__(
        self, task: str, material: str, schema: Mapping[str, Any], read: Callable[[Mapping[str, Any]], _Read]
    ) -> _Read:
        """What is read of the answer. Raises: Unfit, LanguageModelError."""
        messages = [Message("system", task), Message("user", material)]
        faults: Sequence[str] = ()
        for _ in range(_ANSWERS):
            text = await self._answer(messages, schema)
            document, faults = _document_in(text, schema)
            if document is not None:
                try:
                    return read(document)
                except ValueError as error:
                    faults = [str(error)]
            messages = [*messages[:2], Message("assistant", text), Message("user", prompts.again(faults))]
        raise Unfit(faults)

    async def _answer(self, messages: Sequence[Message], schema: Mapping[str, Any]) -> str:
        wish = Wish(schema=schema, models=self.models, longest_tokens=_LONGEST_TOKENS, patience_s=self.deadline_s)
        pieces: list[str] = []
        size = 0
        self.tally.asked += 1
        try:
            async with (
                asyncio.timeout(self.deadline_s),
                aclosing(self.model.answer(messages, call_id=self.call_id, wish=wish)) as parts,
            ):
                async for part in parts:
                    match part:
                        case Usage():
                            self.tally.used.append(part)
                        case str():
                            pieces.append(part)
                            size += len(part)
                        case ToolCall():
                            continue
                    if size > _LONGEST_ANSWER:
                        break
        except TimeoutError:
            raise LanguageModelError("analysis_late", "the model did not finish in time", retryable=True) from None
        return "".join(pieces)


def _document_in(text: str, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Sequence[str]]:
    """The object that the answer is, if it fits; else what is wrong with it."""
    if len(text) > _LONGEST_ANSWER:
        return None, ["the answer is too long"]
    try:
        document = read_json(_unwrapped(text).encode())
    except (ValueError, RecursionError):
        return None, ["the answer is not JSON"]
    if not isinstance(document, dict):
        return None, ["the answer is not a JSON object"]
    try:
        faults = faults_of_arguments(schema, document)
    except InvalidRequest as error:
        return None, [error.message]
    return (None, faults) if faults else (document, ())


def _unwrapped(text: str) -> str:
    """Without the fence that some models put around JSON, whatever they are told."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") + 1 : -3].strip()
    return text


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
