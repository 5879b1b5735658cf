"""What the extension refuses when an orchestrator asks for it: unknown functions, impossible ids."""

from __future__ import annotations

from local_stack.functions_host.durable.actions import Action, ActionType
from local_stack.functions_host.durable.episodes import missing_function
from local_stack.functions_host.durable.instances import Instance
from local_stack.functions_host.durable.replay import InvalidActionError
from local_stack.functions_host.function_index import FunctionIndex

_ACTIVITY_CALLS = (ActionType.CALL_ACTIVITY, ActionType.CALL_ACTIVITY_WITH_RETRY)
_CHILD_CALLS = (ActionType.CALL_SUB_ORCHESTRATOR, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY)
_ENTITY_CALLS = (ActionType.CALL_ENTITY, ActionType.SIGNAL_ENTITY)


class ActionChecks:
    """Checks actions against the functions of the app."""

    def __init__(self, index: FunctionIndex) -> None:
        self._index = index

    def check(self, instance: Instance, action: Action) -> None:
        """Raises: InvalidActionError with the extension's sentence."""
        kind = action["actionType"]
        if kind in _ACTIVITY_CALLS:
            if str(action["functionName"]).casefold() not in self._index.activities:
                raise InvalidActionError(missing_function(action["functionName"], "activity"))
        elif kind in _CHILD_CALLS:
            if str(action["functionName"]).casefold() not in self._index.orchestrators:
                raise InvalidActionError(missing_function(action["functionName"], "orchestrator"))
            _check_child_id(instance, str(action.get("instanceId") or ""))
        elif kind in _ENTITY_CALLS:
            entity = str(action["instanceId"]).split("@")[1]
            if entity.casefold() not in self._index.entities:
                raise InvalidActionError(missing_function(entity, "entity"))


def _check_child_id(instance: Instance, child_id: str) -> None:
    if child_id.startswith("@"):
        raise InvalidActionError("Orchestration instance ids must not start with @")
    own = [instance.instance_id, *([instance.parent.instance_id] if instance.parent else [])]
    if child_id.casefold() in {instance_id.casefold() for instance_id in own}:
        raise InvalidActionError(
            "The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration."
        )
