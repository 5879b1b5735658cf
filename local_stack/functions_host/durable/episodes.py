"""One episode of an orchestration, without any I/O: new events in, decisions out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local_stack.functions_host.durable.actions import (
    Action,
    ActionType,
    OrchestratorAnswer,
    ask_orchestrator,
    trigger_document,
)
from local_stack.functions_host.durable.history import (
    Event,
    EventType,
    dump_event,
    make_event,
    mark_played,
)
from local_stack.functions_host.durable.instances import COMPLETED, FAILED, TERMINATED, Instance
from local_stack.functions_host.durable.replay import (
    Decision,
    InvalidActionError,
    NonDeterminismError,
    count_waits,
    replay,
)
from local_stack.functions_host.function_index import RegisteredFunction

log = logging.getLogger(__name__)

_CUSTOM_STATUS_LIMIT_BYTES = 16 * 1024


@dataclass(slots=True)
class Episode:
    """What an episode has decided."""

    decisions: list[Decision] = field(default_factory=list)
    canceled_timer_ids: list[int] = field(default_factory=list)
    final_status: str | None = None
    """Completed, Failed or Terminated if the instance came to its end."""
    output: str | None = None
    """JSON text."""
    restart_input: str | None = None
    """JSON text; set with `restarts`."""
    restarts: bool = False
    carried_events: list[Event] = field(default_factory=list)
    """Events that nobody has waited for yet; they go into the next execution."""


def run_episode(
    instance: Instance,
    new_events: list[Event],
    orchestrators: Mapping[str, RegisteredFunction],
    check: Callable[[Instance, Action], None],
) -> Episode:
    """Append `new_events` to the instance's history and let its orchestrator go on.

    `check` raises InvalidActionError for actions that cannot be. The custom status is set on `instance`.
    """
    before = len(instance.events)
    instance.append([make_event(EventType.ORCHESTRATOR_STARTED), *new_events])
    terminated = [event for event in new_events if event["EventType"] == EventType.EXECUTION_TERMINATED]
    if terminated:
        return Episode(final_status=TERMINATED, output=json.dumps(terminated[0]["Input"]))
    function = orchestrators.get(instance.name.casefold())
    if function is None:
        return _failed(instance, missing_function(instance.name, "orchestrator"))
    answer = _ask(instance, function, before)
    if not answer.has_state:
        return _failed(instance, str(answer.error))
    return _decide(instance, function, answer, before, lambda action: check(instance, action))


def missing_function(name: str, kind: str) -> str:
    """The extension's sentence for a function that is not there."""
    return f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function."


def _ask(instance: Instance, function: RegisteredFunction, before: int) -> OrchestratorAnswer:
    answer = _ask_once(instance, function, len(instance.texts), before)
    # Each time the orchestrator may come to further waits.
    while _align_event_names(instance, answer, before):
        answer = _ask_once(instance, function, len(instance.texts), before)
    return answer


def _ask_once(instance: Instance, function: RegisteredFunction, length: int, before: int) -> OrchestratorAnswer:
    parent = instance.parent.instance_id if instance.parent else None
    document = trigger_document(
        instance.texts[:length], instance.input, instance.instance_id, parent, is_replaying=before > 0
    )
    return ask_orchestrator(function, document)


def _align_event_names(instance: Instance, answer: OrchestratorAnswer, before: int) -> bool:
    """Give raised events the spelling of the waits for them; return whether any changed.

    The extension compares names without case, the SDK with it.
    """
    spelled = {name.casefold(): name for name in _waited_names(answer.actions)}
    changed = False
    for position, event in enumerate(instance.events):
        if event["EventType"] != EventType.EVENT_RAISED:
            continue
        name = spelled.get(str(event["Name"]).casefold(), event["Name"])
        if name != event["Name"]:
            log.warning(
                "instance %s waits for event '%s' but got '%s': Python apps on Azure compare with case",
                instance.instance_id,
                name,
                event["Name"],
            )
            event["Name"] = name
            text = dump_event(event)
            instance.texts[position] = mark_played(text) if position < before else text
            changed = True
    return changed


def _waited_names(actions: list[Action]) -> list[str]:
    names: list[str] = []
    for action in actions:
        names.extend(_waited_names(action.get("compoundActions", [])))
        if action["actionType"] == ActionType.WAIT_FOR_EXTERNAL_EVENT:
            names.append(action["externalEventName"])
    return names


def _decide(
    instance: Instance,
    function: RegisteredFunction,
    answer: OrchestratorAnswer,
    before: int,
    check: Callable[[Action], None],
) -> Episode:
    if answer.custom_status is not None:
        size = len(answer.custom_status.encode("utf-16-le"))
        if size > _CUSTOM_STATUS_LIMIT_BYTES:
            return _failed(
                instance,
                "The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. "
                f"The current payload is {size / 1024:.1f} KB.",
            )
    instance.custom_status = answer.custom_status
    try:
        outcome = replay(answer.actions, instance.events, instance.execution_id, check)
    except (NonDeterminismError, InvalidActionError) as error:
        return _failed(instance, str(error))
    episode = Episode(outcome.new_decisions, outcome.canceled_timer_ids)
    if not answer.ended:
        instance.open_at = len(instance.events)
    elif instance.ended_at is None:
        instance.ended_at = _shortest_ended(instance, function, before)
    if not (answer.ended and outcome.settled):
        return episode
    if answer.error is not None:
        return _failed(instance, answer.error, episode)
    restart = answer.continue_as_new
    if restart is not None:
        episode.restarts = True
        episode.restart_input = json.dumps(restart.get("input"))
        episode.carried_events = _unprocessed(instance, answer.actions)
        return episode
    episode.final_status, episode.output = COMPLETED, answer.output
    return episode


def _failed(instance: Instance, message: str, episode: Episode | None = None) -> Episode:
    episode = episode or Episode()
    episode.final_status = FAILED
    episode.output = json.dumps(f"Orchestrator function '{instance.name}' failed: {message}")
    return episode


def _shortest_ended(instance: Instance, function: RegisteredFunction, before: int) -> int:
    """Length of the shortest history after which the orchestrator ends; later events it never saw.

    Only raised events matter, so only histories that end in front of one are tried, from the last.
    """
    length = len(instance.events)
    for position in range(length - 1, instance.open_at - 1, -1):
        if instance.events[position]["EventType"] == EventType.EVENT_RAISED:
            if not _ask_once(instance, function, position, before).ended:
                break
            length = position
    return length


def _unprocessed(instance: Instance, actions: list[Action]) -> list[Event]:
    """Raised events that no wait has taken, oldest first."""
    seen_until = instance.ended_at or len(instance.events)
    waits = count_waits(actions)
    carried = []
    for position, event in enumerate(instance.events):
        if event["EventType"] != EventType.EVENT_RAISED:
            continue
        name = str(event["Name"]).casefold()
        if position < seen_until and waits.get(name, 0) > 0:
            waits[name] -= 1
        else:
            carried.append(event)
    return carried
