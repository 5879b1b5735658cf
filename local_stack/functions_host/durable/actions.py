"""The actions an orchestrator answers with, and how that answer is got out of the SDK's orchestrator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import azure.functions as func

from local_stack.functions_host.function_index import RegisteredFunction
from local_stack.functions_host.invocation import describe_error

Action = dict[str, Any]
_STATE_LABEL = "\n\n$OutOfProcData$:"


class ActionType(IntEnum):
    """Source: azure.durable_functions.models.actions.ActionType."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    WHEN_ANY = 11
    WHEN_ALL = 12


@dataclass(frozen=True, slots=True)
class OrchestratorAnswer:
    """What an orchestrator said: everything it has ever wanted, and whether it has come to its end."""

    actions: list[Action]
    is_done: bool
    output: str | None
    """JSON text, None if there is none."""
    custom_status: str | None
    error: str | None
    has_state: bool = True
    """False if the orchestrator failed before it could say what it had wanted so far."""

    @property
    def continue_as_new(self) -> Action | None:
        """The action that restarts the execution; nothing comes after it."""
        last = self.actions[-1] if self.actions else None
        return last if last is not None and last["actionType"] == ActionType.CONTINUE_AS_NEW else None

    @property
    def ended(self) -> bool:
        return self.is_done or self.error is not None


def trigger_document(
    history_texts: list[str],
    input_text: str | None,
    instance_id: str,
    parent_instance_id: str | None,
    *,
    is_replaying: bool,
) -> str:
    """The document an orchestrator is triggered with; history events come as ready JSON texts."""
    rest = json.dumps(
        {
            "instanceId": instance_id,
            "isReplaying": is_replaying,
            "parentInstanceId": parent_instance_id,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
        }
    )
    return f'{{"history":[{",".join(history_texts)}],"input":{input_text or "null"},{rest[1:]}'


def ask_orchestrator(function: RegisteredFunction, document: str) -> OrchestratorAnswer:
    """Run the orchestrator once over `document`."""
    try:
        text = function.call(func.OrchestrationContext(document))
    except Exception as error:  # noqa: BLE001 - the SDK reports every failure so, with the state in its text
        # The label may stand in the message too: the last one is the SDK's.
        _, label, text = str(error).rpartition(_STATE_LABEL)
        if not label:
            return OrchestratorAnswer([], False, None, None, describe_error(error), has_state=False)
    return _read(text)


def _read(text: str) -> OrchestratorAnswer:
    state = json.loads(text)
    output, custom_status = state.get("output"), state.get("customStatus")
    actions = state["actions"]
    return OrchestratorAnswer(
        actions=list(actions[0]) if actions else [],
        is_done=bool(state["isDone"]),
        output=None if output is None else json.dumps(output),
        custom_status=None if custom_status is None else json.dumps(custom_status),
        error=state.get("error"),
    )
