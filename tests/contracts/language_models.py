"""Language models of every kind, asked as the contract asks them."""

from __future__ import annotations

from contextlib import aclosing

from shared.adapters.langchain.language_model import ChatModel, LangChainLanguageModel
from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.language_model import OpenAILanguageModel
from shared.adapters.openai.wire import OpenAIWire
from shared.adapters.sarvam.wire import KEY_HEADER
from shared.ports.language_model import PLAIN, LanguageModel, Message, ToolCall, Usage, Wish
from tests.contracts.speech_service import Service

REPLY = "Let me look. It is on its way to you now."
TOKENS = ["Let", " me", " look.", " It", " is", " on", " its", " way", " to", " you", " now."]
MESSAGES = [Message("system", "You are Nora."), Message("user", "Where is my order?")]


CODES = {
    "llm_refused": "openai_refused",
    "llm_unavailable": "openai_unavailable",
    "llm_stalled": "openai_unavailable",
}


class Adapter:
    """One of those that speak OpenAI's protocol; `code` is its word for a failure."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def of(self, service: Service, **deadlines: float) -> LanguageModel:
        return self.at(f"{service.url}/sarvam/v1" if self.kind == "sarvam" else f"{service.url}/v1", **deadlines)

    def at(self, base_url: str, **deadlines: float) -> LanguageModel:
        if self.kind == "openai":
            wire = OpenAIWire(OpenAIAccount(base_url=base_url, api_key="local"))
            return OpenAILanguageModel(wire, model="scripted", **deadlines)
        if self.kind == "sarvam":
            wire = OpenAIWire(OpenAIAccount(base_url=base_url, api_key="local", key_header=KEY_HEADER))
            return OpenAILanguageModel(wire, model="sarvam-105b", **deadlines)
        model = LangChainLanguageModel(ChatModel("scripted", base_url=base_url, api_key="local"), **deadlines)
        model.warm_up()
        return model

    def code(self, code: str) -> str:
        return code if self.kind == "langchain" else CODES[code]


async def ask(model: LanguageModel, messages: list[Message] | None = None) -> list[str]:
    return [item for item in await items_of(model, messages) if isinstance(item, str)]


async def items_of(
    model: LanguageModel, messages: list[Message] | None = None, wish: Wish = PLAIN
) -> list[str | ToolCall | Usage]:
    async with aclosing(model.answer(messages or MESSAGES, call_id="call-1", wish=wish)) as items:
        return [item async for item in items]
