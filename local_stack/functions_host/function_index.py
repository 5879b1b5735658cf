"""Imports `function_app.py` and lists its functions with what the host must know to call them."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func

from local_stack.functions_host.errors import FunctionAppImportError, HostConfigurationError

HTTP_TRIGGER = "httpTrigger"
TIMER_TRIGGER = "timerTrigger"
ORCHESTRATION_TRIGGER = "orchestrationTrigger"
ACTIVITY_TRIGGER = "activityTrigger"
ENTITY_TRIGGER = "entityTrigger"

_TRIGGERS = {HTTP_TRIGGER, TIMER_TRIGGER, ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER}
_CLIENT_BINDING = "durableClient"
_HTTP_OUTPUT = "http"


@dataclass(frozen=True, slots=True)
class RegisteredFunction:
    """One function of the app."""

    name: str
    call: Callable[..., Any]
    is_async: bool
    trigger: Mapping[str, Any]
    """The trigger's entry of function.json: `type`, `name`, `route`, `schedule`, …"""
    bindings: tuple[Mapping[str, Any], ...]
    client_parameters: tuple[str, ...] = ()
    """Parameters that take the durable client's binding document."""
    output_parameters: tuple[str, ...] = ()
    """Parameters that take a `func.Out` for an HTTP response."""
    wants_context: bool = False
    directory: str = ""

    @property
    def trigger_type(self) -> str:
        return str(self.trigger["type"])

    @property
    def trigger_parameter(self) -> str:
        return str(self.trigger["name"])


@dataclass(frozen=True, slots=True)
class FunctionIndex:
    """All functions of the app, by trigger."""

    functions: tuple[RegisteredFunction, ...]
    orchestrators: Mapping[str, RegisteredFunction] = field(default_factory=dict)
    """Keys of these three are case-folded: the durable extension compares names so."""
    activities: Mapping[str, RegisteredFunction] = field(default_factory=dict)
    entities: Mapping[str, RegisteredFunction] = field(default_factory=dict)

    def with_trigger(self, trigger_type: str) -> list[RegisteredFunction]:
        return [function for function in self.functions if function.trigger_type == trigger_type]


def import_function_app(app_root: Path) -> ModuleType:
    """Import `function_app` from `app_root` as the Functions worker does: root in sys.path and as cwd.

    Raises: FunctionAppImportError with the app's exception as its cause.
    """
    if not (app_root / "function_app.py").is_file():
        raise FunctionAppImportError(f"no function_app.py in {app_root}")
    os.chdir(app_root)
    root = str(app_root)
    if root in sys.path:
        sys.path.remove(root)
    sys.path.insert(0, root)
    try:
        return importlib.import_module("function_app")
    except Exception as error:
        raise FunctionAppImportError(f"function_app.py: {type(error).__name__}: {error}") from error


def index_functions(module: ModuleType) -> FunctionIndex:
    """List the functions of the one FunctionApp in `module`.

    Raises: HostConfigurationError naming function and binding for what this host cannot run.
    """
    apps = {id(item): item for item in vars(module).values() if isinstance(item, func.FunctionRegister)}
    if len(apps) != 1:
        raise HostConfigurationError(f"function_app.py must define one FunctionApp, found {len(apps)}")
    try:
        functions = next(iter(apps.values())).get_functions()
    except Exception as error:
        raise HostConfigurationError(f"function_app.py cannot be indexed: {error}") from error
    directory = str(Path(module.__file__ or ".").parent)
    registered = tuple(_register(function, directory) for function in functions)
    return FunctionIndex(
        functions=registered,
        orchestrators=_by_name(registered, ORCHESTRATION_TRIGGER, "orchestration"),
        activities=_by_name(registered, ACTIVITY_TRIGGER, "activity"),
        entities=_by_name(registered, ENTITY_TRIGGER, "entityName"),
    )


def _by_name(
    functions: tuple[RegisteredFunction, ...], trigger_type: str, alias: str
) -> dict[str, RegisteredFunction]:
    return {
        str(function.trigger.get(alias) or function.name).casefold(): function
        for function in functions
        if function.trigger_type == trigger_type
    }


def _register(function: Any, directory: str) -> RegisteredFunction:
    name = str(function.get_function_name())
    bindings = tuple(json.loads(text) for text in function.get_raw_bindings())
    trigger = json.loads(json.dumps(function.get_trigger().get_dict_repr(), default=str))
    call = function.get_user_function()
    _refuse_unknown_bindings(name, bindings)
    parameters = inspect.signature(call).parameters
    _refuse_wrong_parameters(name, bindings, parameters)
    bound = {str(binding["name"]) for binding in bindings}
    return RegisteredFunction(
        name=name,
        call=call,
        is_async=inspect.iscoroutinefunction(call),
        trigger=_matching(bindings, trigger),
        bindings=bindings,
        client_parameters=_names(bindings, _CLIENT_BINDING),
        output_parameters=tuple(n for n in _names(bindings, _HTTP_OUTPUT) if n != "$return"),
        wants_context="context" in parameters and "context" not in bound,
        directory=directory,
    )


def _matching(bindings: tuple[dict[str, Any], ...], trigger: Mapping[str, Any]) -> dict[str, Any]:
    return next(b for b in bindings if b["name"] == trigger["name"] and b["type"] == trigger["type"])


def _names(bindings: tuple[dict[str, Any], ...], binding_type: str) -> tuple[str, ...]:
    return tuple(str(binding["name"]) for binding in bindings if binding["type"] == binding_type)


def _refuse_unknown_bindings(name: str, bindings: tuple[dict[str, Any], ...]) -> None:
    for binding in bindings:
        if binding["type"] not in _TRIGGERS | {_CLIENT_BINDING, _HTTP_OUTPUT}:
            raise HostConfigurationError(f"function '{name}': this host has no binding of type '{binding['type']}'")


def _refuse_wrong_parameters(
    name: str, bindings: tuple[dict[str, Any], ...], parameters: Mapping[str, inspect.Parameter]
) -> None:
    """What the worker checks too: every binding has its parameter and every parameter its binding."""
    bound = {str(binding["name"]) for binding in bindings} - {"$return"}
    handled_by_sdk = any(b["type"] in {ORCHESTRATION_TRIGGER, ENTITY_TRIGGER} for b in bindings)
    if handled_by_sdk:
        # The SDK's wrapper has one parameter, always called "context".
        wrong = bound - {"context"}
        if wrong:
            raise HostConfigurationError(f"function '{name}': context_name must be 'context'")
        return
    missing = bound - set(parameters)
    if missing:
        raise HostConfigurationError(f"function '{name}': no parameter for binding '{min(missing)}'")
    unbound = set(parameters) - bound - {"context"}
    if unbound:
        raise HostConfigurationError(f"function '{name}': parameter '{min(unbound)}' has no binding")
