"""Calls functions of the app: async ones on the loop, sync ones on a thread pool, all within a time limit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import azure.functions as func

from local_stack.functions_host.function_index import RegisteredFunction

log = logging.getLogger(__name__)

_SWEEP_INTERVAL_S = 1.0


class FunctionTimeoutError(Exception):
    """An invocation ran longer than host.json's functionTimeout."""


class _TraceContext(func._abc.TraceContext):
    def __init__(self, trace_parent: str) -> None:
        self._trace_parent = trace_parent

    @property
    def trace_parent(self) -> str:
        return self._trace_parent

    @property
    def trace_state(self) -> str:
        return ""

    @property
    def attributes(self) -> dict[str, str]:
        return {}


class _NoException(func._abc.RpcException):
    @property
    def source(self) -> str:
        return ""

    @property
    def stack_trace(self) -> str:
        return ""

    @property
    def message(self) -> str:
        return ""


class _NoRetry(func._abc.RetryContext):
    @property
    def retry_count(self) -> int:
        return 0

    @property
    def max_retry_count(self) -> int:
        return 0

    @property
    def exception(self) -> func._abc.RpcException:
        return _NoException()


class InvocationContext(func.Context):
    """What a function gets that asks for `context`."""

    def __init__(self, function: RegisteredFunction, trace_parent: str = "") -> None:
        self._function = function
        self._invocation_id = str(uuid4())
        self._trace_context = _TraceContext(trace_parent)
        self._storage = threading.local()

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return self._storage

    @property
    def function_name(self) -> str:
        return self._function.name

    @property
    def function_directory(self) -> str:
        return self._function.directory

    @property
    def trace_context(self) -> func._abc.TraceContext:
        return self._trace_context

    @property
    def retry_context(self) -> func._abc.RetryContext:
        return _NoRetry()


class Invoker:
    """Runs functions and knows which ones are running.

    Time limits are kept by one sweep a second over the running tasks: a timer per call would cost
    more than many of the calls themselves.
    """

    def __init__(self, client_document: str, timeout_s: float | None) -> None:
        self._client_document = client_document
        self._timeout_s = timeout_s
        workers = int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or 0)
        self._threads = ThreadPoolExecutor(
            max_workers=workers or min(32, (os.cpu_count() or 1) + 4), thread_name_prefix="function"
        )
        self._running: dict[asyncio.Task[Any], tuple[float, str]] = {}
        self._timed_out: set[asyncio.Task[Any]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self.debug = log.isEnabledFor(logging.DEBUG)

    @property
    def running_count(self) -> int:
        return len(self._running)

    def start(self) -> None:
        if self._timeout_s is not None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep(self._timeout_s))

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start `work`, which calls the function `name` once, as a task under the time limit."""
        task = asyncio.get_running_loop().create_task(work)
        self._running[task] = (time.monotonic(), name)
        task.add_done_callback(self._ended)
        return task

    def call(
        self, function: RegisteredFunction, argument: object, trace_parent: str = ""
    ) -> Coroutine[Any, Any, Any]:
        """Call `function` with `argument` for its trigger; raise (when awaited) what it raises.

        Must run in a task made by `run`. Raises: FunctionTimeoutError.
        """
        arguments: dict[str, Any] = {function.trigger_parameter: argument}
        for parameter in function.client_parameters:
            arguments[parameter] = self._client_document
        if function.wants_context:
            arguments["context"] = InvocationContext(function, trace_parent)
        if function.output_parameters:
            return self._call_with_outputs(function, arguments)
        return self._invoke_aloud(function, arguments) if self.debug else self._invoke(function, arguments)

    async def drain(self, grace_s: float) -> None:
        """Wait up to `grace_s` for running functions, then cancel those that are left."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._running:
            await asyncio.wait(list(self._running), timeout=grace_s)
        left = list(self._running)
        for task in left:
            task.cancel()
        if left:
            log.warning("cancelled %d functions that were still running", len(left))
            await asyncio.wait(left, timeout=0.5)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _invoke(self, function: RegisteredFunction, arguments: Mapping[str, Any]) -> Any:
        try:
            if function.is_async:
                return await function.call(**arguments)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: function.call(**arguments))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task not in self._timed_out:
                raise
            task.uncancel()
            raise FunctionTimeoutError(
                f"Timeout value of {self._timeout_s:g} s was exceeded by function: {function.name}"
            ) from None

    async def _invoke_aloud(self, function: RegisteredFunction, arguments: Mapping[str, Any]) -> Any:
        started = time.perf_counter()
        log.debug("function %s started", function.name)
        result = await self._invoke(function, arguments)
        log.debug("function %s finished in %.1f ms", function.name, (time.perf_counter() - started) * 1000)
        return result

    async def _call_with_outputs(self, function: RegisteredFunction, arguments: dict[str, Any]) -> Any:
        outputs = {name: _Output() for name in function.output_parameters}
        result = await self._invoke(function, arguments | outputs)
        written = [output.get() for output in outputs.values() if output.get() is not None]
        return written[0] if written else result

    def _ended(self, task: asyncio.Task[Any]) -> None:
        _, name = self._running.pop(task)
        self._timed_out.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("host failed around function %s: %r", name, error, exc_info=error)

    async def _sweep(self, timeout_s: float) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(min(_SWEEP_INTERVAL_S, timeout_s / 2))
                limit = time.monotonic() - timeout_s
                for task, (started, name) in list(self._running.items()):
                    if started < limit and task not in self._timed_out:
                        log.warning("function %s exceeded %g s", name, timeout_s)
                        self._timed_out.add(task)
                        task.cancel()


class _Output(func.Out[Any]):
    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


def describe_error(error: BaseException) -> str:
    """`Type: message` in one line, as the worker reports a failure."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
