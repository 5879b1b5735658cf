"""Runs timer-triggered functions on their schedules and remembers when they ran."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter

from local_stack.functions_host.app_settings import expand_placeholders
from local_stack.functions_host.cron import Schedule, parse_schedule
from local_stack.functions_host.durable.store import DurableStore
from local_stack.functions_host.errors import HostConfigurationError
from local_stack.functions_host.function_index import TIMER_TRIGGER, FunctionIndex, RegisteredFunction
from local_stack.functions_host.invocation import Invoker, describe_error

log = logging.getLogger(__name__)

_LONGEST_SLEEP_S = 3600.0
_SHORTEST_MONITORED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Timer:
    function: RegisteredFunction
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool


class TimerTriggers:
    """One task per timer function; a run never overlaps the one before.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
    """

    def __init__(
        self, index: FunctionIndex, settings: Mapping[str, str], invoker: Invoker, store: DurableStore
    ) -> None:
        """Raises: HostConfigurationError naming the function whose schedule cannot be read."""
        self._invoker = invoker
        self._store = store
        self._zone = _time_zone(settings)
        self._timers = [_read(function, settings) for function in index.with_trigger(TIMER_TRIGGER)]
        self._tasks: list[asyncio.Task[None]] = []
        self._by_hand: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep_time(timer)) for timer in self._timers]

    def run_now(self, name: str) -> bool:
        """Run one by hand, whatever its schedule says. Whether there is one of that name."""
        for timer in self._timers:
            if timer.function.name == name:
                task = asyncio.get_running_loop().create_task(
                    self._run(timer, *self._remembered(timer), past_due=False)
                )
                self._by_hand.add(task)
                task.add_done_callback(self._by_hand.discard)
                return True
        return False

    def begin_stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _keep_time(self, timer: _Timer) -> None:
        name = timer.function.name
        last, due = self._remembered(timer)
        now = datetime.now(self._zone)
        if due is not None and due < now:
            await self._run(timer, last, due, past_due=True)
            last = now
        elif timer.run_on_startup:
            await self._run(timer, last, due, past_due=False)
            last = now
        while True:
            due = timer.schedule.next_after(datetime.now(self._zone))
            if due is None:
                log.warning("timer function %s never runs again", name)
                return
            self._remember(timer, last, due)
            await self._sleep_until(due)
            await self._run(timer, last, due, past_due=False)
            last = datetime.now(self._zone)

    async def _sleep_until(self, due: datetime) -> None:
        while True:
            # By timestamps: times of one zone subtract as if there were no daylight saving.
            left_s = due.timestamp() - datetime.now(UTC).timestamp()
            if left_s <= 0:
                return
            # In pieces, for the loop's clock and the wall clock may drift apart.
            await asyncio.sleep(min(left_s, _LONGEST_SLEEP_S))

    async def _run(self, timer: _Timer, last: datetime | None, due: datetime | None, *, past_due: bool) -> None:
        following = timer.schedule.next_after(datetime.now(self._zone))
        info = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {
                "Last": _text(last),
                "Next": _text(following or due),
                "LastUpdated": _text(last),
            },
            "IsPastDue": past_due,
        }
        request = TimerRequestConverter.decode(Datum(json.dumps(info), "json"), trigger_metadata=None)
        await asyncio.shield(self._invoker.run(timer.function.name, self._call(timer, request)))

    async def _call(self, timer: _Timer, request: object) -> None:
        name = timer.function.name
        try:
            await self._invoker.call(timer.function, request)
        except Exception as error:
            log.error("timer function %s failed: %s", name, describe_error(error))
            log.debug("timer function %s", name, exc_info=error)
        # Here and not in the timekeeper, which a drain ends while the last run still goes on.
        now = datetime.now(self._zone)
        following = timer.schedule.next_after(now)
        if following is not None:
            self._remember(timer, now, following)

    def _remembered(self, timer: _Timer) -> tuple[datetime | None, datetime | None]:
        if not timer.use_monitor:
            return None, None
        row = self._store.row("SELECT last, next FROM schedules WHERE function_name = ?", timer.function.name)
        if row is None:
            return None, None
        last = datetime.fromisoformat(row["last"]) if row["last"] else None
        return last, datetime.fromisoformat(row["next"])

    def _remember(self, timer: _Timer, last: datetime | None, due: datetime) -> None:
        if timer.use_monitor:
            self._store.run(
                "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)",
                timer.function.name,
                last.isoformat() if last else None,
                due.isoformat(),
            )


def _read(function: RegisteredFunction, settings: Mapping[str, str]) -> _Timer:
    where = f"function '{function.name}'"
    trigger = function.trigger
    schedule = parse_schedule(expand_placeholders(str(trigger["schedule"]), settings, where), where)
    first = schedule.next_after(datetime.now(UTC))
    second = schedule.next_after(first) if first else None
    is_slow = first is not None and second is not None and second - first >= _SHORTEST_MONITORED
    return _Timer(
        function=function,
        schedule=schedule,
        run_on_startup=bool(trigger.get("runOnStartup")),
        # Azure keeps no schedule status for timers that run more often than once a minute.
        use_monitor=is_slow and trigger.get("useMonitor") is not False,
    )


def _time_zone(settings: Mapping[str, str]) -> tzinfo:
    name = settings.get("WEBSITE_TIME_ZONE")
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise HostConfigurationError(f"WEBSITE_TIME_ZONE: unknown time zone '{name}'") from None


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else "0001-01-01T00:00:00+00:00"
