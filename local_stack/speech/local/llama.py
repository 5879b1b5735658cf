"""A GGUF model on llama.cpp, in this process: continuous batching, prompt caching, cancellation."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

SLOTS = 4
"""Replies that are made at once; more wait in a queue."""
SLOT_TOKENS = 4096
"""Prompt and reply of one conversation."""
PROMPT_CACHE_MIB = 512
"""Prompts of finished conversations that stay in memory, so that their prefix is not computed again."""
PROMPT_BATCH_TOKENS = 128
"""A new prompt is read in pieces of this size, between which the other replies go on."""
NICENESS = 2
"""The language model gives way to hearing and speaking, but not so much that a busy machine starves it."""

# Threads that spin while they wait for each other take the cores from everything else on the machine.
# Read by the OpenMP runtime when xllamacpp is imported.
_THREAD_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}

Listener = Callable[[dict[str, Any]], None]


class LlamaError(Exception):
    """The model refused a request; the message is llama.cpp's."""


class Llama:
    """Blocking chat completions; safe to use from several threads."""

    def __init__(self, model: Path, threads: int) -> None:
        for name, value in _THREAD_ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        import xllamacpp  # noqa: PLC0415 - after the environment, and in the loading thread

        # Threads inherit the niceness of the thread that makes them.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = SLOTS * SLOT_TOKENS
        params.n_parallel = SLOTS
        params.n_batch = params.n_ubatch = PROMPT_BATCH_TOKENS
        params.cache_ram_mib = PROMPT_CACHE_MIB
        # Reading a prompt gains from every core. Writing is bound by memory: a thread less is as fast, costs
        # half the processor time, and does not stall at each token when another process wants a core.
        params.cpuparams_batch.n_threads = threads
        params.cpuparams.n_threads = max(1, threads - 1)
        params.cpuparams.poll = params.cpuparams_batch.poll = 0
        params.verbosity = 0
        self._server: Any = xllamacpp.Server(params)

    def complete(self, request: dict[str, Any], listener: Listener, stopped: threading.Event) -> None:
        """Stream one completion to `listener` as OpenAI chunks until its end or until `stopped` is set.

        Raises:
            LlamaError: the request cannot be answered, such as a prompt that is too long.
        """
        problems: list[str] = []

        def on_chunk(chunk: Any) -> bool:
            for item in chunk if isinstance(chunk, list) else [chunk]:
                content = json.loads(item) if isinstance(item, str | bytes) else item
                if "choices" in content:
                    listener(content)
                else:
                    problems.append(_message(content))
            return stopped.is_set()  # True ends the generation

        self._server.handle_chat_completions({**request, "stream": True}, on_chunk)
        if problems:
            raise LlamaError(problems[0])


def _message(content: dict[str, Any]) -> str:
    error = content.get("error", content)
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)
