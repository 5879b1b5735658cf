"""Chat on the local language model: threads outside, an event stream inside, tool calls made out of text."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_stack.speech.backend import Asking, ChatEvent, Context, Finished, TextDelta, ToolCall
from local_stack.speech.errors import ApiError
from local_stack.speech.local.llama import SLOTS, Listener, Llama, LlamaError
from local_stack.speech.local.prompts import grammar_of, render_messages
from local_stack.speech.local.tool_choice import Choice, ToolChooser

DEFAULT_MAX_TOKENS = 256
DEFAULT_TEMPERATURE = 0.2
"""A model of this size wanders at OpenAI's default of 1; with tools or JSON it gets no freedom at all."""

_Item = dict[str, Any] | Exception | None


class LocalChat:
    """Queues requests for the model's slots and frees a slot as soon as nobody listens."""

    def __init__(self, model: Llama, chooser: ToolChooser) -> None:
        self._model = model
        self._chooser = chooser
        self._slots = asyncio.Semaphore(SLOTS)
        self._threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="chat")
        self._running: set[threading.Event] = set()

    async def reply(self, asking: Asking, context: Context) -> AsyncGenerator[ChatEvent, None]:
        """Text as it comes; a tool call when it is complete; the end."""
        choice = await self._chooser.choose(asking)
        held = bool(choice.tools)
        text, chunk = "", dict[str, Any]()
        reason = "stop"
        async for chunk in self._chunks(_request(asking, choice)):
            for choice in chunk["choices"]:
                piece = choice.get("delta", {}).get("content") or ""
                reason = choice.get("finish_reason") or reason
                text += piece
                if held and text.strip() and not text.lstrip().startswith("{"):
                    held, piece = False, text
                if piece and not held:
                    yield TextDelta(piece)
        if held and text:
            call = read_tool_call(text)
            yield call or TextDelta(text)
            reason = "tool_calls" if call else reason
        yield _finished(reason, chunk.get("usage") or {})

    def stop(self) -> None:
        """End all replies and take no more."""
        for stopped in self._running:
            stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _chunks(self, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[_Item] = asyncio.Queue()
        stopped = threading.Event()

        def put(item: _Item) -> None:
            loop.call_soon_threadsafe(items.put_nowait, item)

        await self._slots.acquire()
        self._running.add(stopped)
        work = loop.run_in_executor(self._threads, _run, self._model, request, put, put, stopped)
        work.add_done_callback(lambda _: self._release(stopped))
        try:
            while (item := await items.get()) is not None:
                if isinstance(item, Exception):
                    raise ApiError(400, str(item)) from item
                yield item
        finally:
            stopped.set()

    def _release(self, stopped: threading.Event) -> None:
        # Only when the thread is done is the slot of the model really free.
        self._running.discard(stopped)
        self._slots.release()


def _run(model: Llama, request: dict[str, Any], listener: Listener, put: Any, stopped: threading.Event) -> None:
    try:
        if not stopped.is_set():
            model.complete(request, listener, stopped)
        put(None)
    except (LlamaError, ValueError, RuntimeError) as error:
        put(error)


def _request(asking: Asking, choice: Choice) -> dict[str, Any]:
    grammar = grammar_of(asking, choice)
    request: dict[str, Any] = {
        "messages": render_messages(asking),
        "max_tokens": asking.max_tokens or DEFAULT_MAX_TOKENS,
        "temperature": DEFAULT_TEMPERATURE if grammar is None else 0.0,
        "cache_prompt": True,
        "stream_options": {"include_usage": True},
        **asking.sampling,
    }
    return request if grammar is None else {**request, "grammar": grammar}


def read_tool_call(text: str) -> ToolCall | None:
    """`{"name": …, "arguments": {…}}` as a tool call; None when the text is something else or was cut."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        return None
    return ToolCall(content["name"], json.dumps(content.get("arguments") or {}, ensure_ascii=False))


def _finished(reason: str, usage: dict[str, Any]) -> Finished:
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    return Finished(reason, usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0), cached)
