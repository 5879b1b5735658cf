"""Runs activities, at most so many at once, and reports each result as an event."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from local_stack.functions_host.durable.episodes import missing_function
from local_stack.functions_host.durable.history import Event, EventType, make_event
from local_stack.functions_host.durable.http_activity import HttpActivity
from local_stack.functions_host.durable.replay import HTTP_ACTIVITY
from local_stack.functions_host.function_index import RegisteredFunction
from local_stack.functions_host.invocation import Invoker, describe_error

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActivityWork:
    """One scheduled activity; its row stays on disk until its result is in the history."""

    row_id: int
    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input: str | None


class ActivityRunner:
    """Runs activities in the order they were scheduled, `limit` at once."""

    def __init__(
        self,
        activities: Mapping[str, RegisteredFunction],
        invoker: Invoker,
        limit: int,
        report: Callable[[ActivityWork, Event], None],
    ) -> None:
        self._activities = activities
        self._invoker = invoker
        self._limit = limit
        self._report = report
        self._http = HttpActivity()
        self._waiting: deque[ActivityWork] = deque()
        self._running_count = 0
        self._stopping = False

    def submit(self, work: ActivityWork) -> None:
        self._waiting.append(work)
        self._start_waiting()

    def begin_stop(self) -> None:
        """Start nothing any more; what waits or is cancelled runs again after the next start."""
        self._stopping = True

    async def close(self) -> None:
        await self._http.close()

    def _start_waiting(self) -> None:
        while self._waiting and self._running_count < self._limit and not self._stopping:
            work = self._waiting.popleft()
            self._running_count += 1
            self._invoker.run(work.name, self._execute(work))

    async def _execute(self, work: ActivityWork) -> None:
        try:
            result = await self._call(work)
            event = make_event(EventType.TASK_COMPLETED, TaskScheduledId=work.task_id, Result=result)
        except asyncio.CancelledError as error:
            if self._stopping:
                raise
            event = self._failure(work, describe_error(error))
        except Exception as error:
            event = self._failure(work, describe_error(error))
            log.debug("activity %s", work.name, exc_info=error)
        finally:
            self._running_count -= 1
        self._report(work, event)
        self._start_waiting()

    async def _call(self, work: ActivityWork) -> str:
        if work.name == HTTP_ACTIVITY:
            return await self._http.call(work.input or "{}")
        function = self._activities.get(work.name.casefold())
        if function is None:
            raise LookupError(missing_function(work.name, "activity"))
        datum = Datum("null" if work.input is None else work.input, "string")
        argument = ActivityTriggerConverter.decode(datum, trigger_metadata=None)
        result = await self._invoker.call(function, argument)
        return str(ActivityTriggerConverter.encode(result, expected_type=None).value)

    @staticmethod
    def _failure(work: ActivityWork, description: str) -> Event:
        log.warning("activity %s of instance %s failed: %s", work.name, work.instance_id, description)
        return make_event(
            EventType.TASK_FAILED,
            TaskScheduledId=work.task_id,
            Reason=f"Activity function '{work.name}' failed: {description}",
            Details=description,
        )
