"""Drives an orchestrator as the engine does, with the SDK's own tasks, which the test completes by name."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.durable_functions.models.actions.CreateTimerAction import CreateTimerAction
from azure.durable_functions.models.actions.NoOpAction import NoOpAction
from azure.durable_functions.models.ReplaySchema import ReplaySchema
from azure.durable_functions.models.Task import AtomicTask, TaskBase, TimerTask, WhenAllTask, WhenAnyTask

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class FakeContext:
    """What orchestrators use of `DurableOrchestrationContext`. `tasks` maps names to tasks that were made."""

    def __init__(self, document: Any) -> None:
        self.tasks: dict[str, TaskBase] = {}
        self.inputs: dict[str, Any] = {}
        self.instances: dict[str, str] = {}
        self.retries: dict[str, int] = {}
        self.timers: list[timedelta] = []
        self.continued_with: Any = None
        self.current_utc_datetime = BEGAN
        self._document = document

    def get_input(self) -> Any:
        return self._document

    def call_activity(self, name: str, input_: Any) -> TaskBase:
        return self._task(name, input_)

    def call_activity_with_retry(self, name: str, retry_options: Any, input_: Any) -> TaskBase:
        self.retries[name] = retry_options.max_number_of_attempts
        return self._task(name, input_)

    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> TaskBase:
        task = self._task(name, input_)
        self.instances[self._name_of(task)] = instance_id
        return task

    def wait_for_external_event(self, name: str) -> TaskBase:
        return self._task(name, None)

    def create_timer(self, fire_at: datetime) -> TaskBase:
        self.timers.append(fire_at - self.current_utc_datetime)
        task = TimerTask("timer", CreateTimerAction(fire_at))
        self.tasks["timer"] = task
        return task

    def task_any(self, tasks: list[TaskBase]) -> TaskBase:
        assert not any(task.is_completed or task.parent for task in tasks), "only new tasks may be raced"
        return WhenAnyTask(tasks, ReplaySchema.V3)

    def task_all(self, tasks: list[TaskBase]) -> TaskBase:
        return WhenAllTask(tasks, ReplaySchema.V3)

    def continue_as_new(self, document: Any) -> None:
        self.continued_with = document

    def _task(self, name: str, input_: Any) -> TaskBase:
        key, number = name, 1
        while key in self.tasks:
            number += 1
            key = f"{name} {number}"
        self.tasks[key] = AtomicTask(key, NoOpAction(name))
        self.inputs[key] = input_
        return self.tasks[key]

    def _name_of(self, task: TaskBase) -> str:
        return next(name for name, known in self.tasks.items() if known is task)


class Run:
    """One orchestration. `complete` and `fail` go on as far as there is nothing to wait for."""

    def __init__(self, function_builder: Any, document: Any) -> None:
        function = function_builder.build().get_user_function().orchestrator_function
        self.context = FakeContext(document)
        self.result: Any = None
        self.is_over = False
        self._generator: Generator[TaskBase, Any, Any] = function(self.context)
        self._waits_for: TaskBase | None = None
        self._advance(lambda: next(self._generator))

    @property
    def open(self) -> set[str]:
        """What has been started and has not ended, cancelled timers left out."""
        return {
            name
            for name, task in self.context.tasks.items()
            if not task.is_completed and not (isinstance(task, TimerTask) and task.is_cancelled)
        }

    def complete(self, name: str, value: Any = None) -> None:
        self.context.tasks[name].set_value(is_error=False, value=value)
        self._go_on()

    def fail(self, name: str, error: str = "it broke") -> None:
        self.context.tasks[name].set_value(is_error=True, value=Exception(error))
        self._go_on()

    def _go_on(self) -> None:
        while not self.is_over and self._waits_for is not None and self._waits_for.is_completed:
            result = self._waits_for.result
            if self._waits_for.state.name == "FAILED":
                self._advance(lambda error=result: self._generator.throw(error))
            else:
                self._advance(lambda value=result: self._generator.send(value))

    def _advance(self, step: Any) -> None:
        try:
            self._waits_for = step()
        except StopIteration as end:
            self.is_over, self.result = True, end.value
