"""Whether what a model gives a tool fits the tool's schema, in words by which the model can correct itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.errors import InvalidRequest

_MOST_BYTES = 16_384
_LONGEST_MATCHED = 200
_MOST_TOLD = 5
_SHOWN = 60
_LONGEST_TOLD = 500
_LONGEST_WHERE = 100
_KINDS: dict[type, str] = {
    bool: "boolean",
    str: "string",
    int: "number",
    float: "number",
    type(None): "null",
    list: "array",
}
_COSTLY = re.compile(r"\)[*+{]|\\[1-9]|\(\?")
"""A repeated group, a reference back or a look around: matching such a pattern may take for ever."""
_ENDLESS = re.compile(r"[*+]|\{\d*,\d*\}")
_ESCAPED = re.compile(r"\\.")


def faults_of_arguments(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """What is wrong with them, none: nothing. `schema` is plain (`shared.domain.tools.schemas.flat`).

    Raises: InvalidRequest for a schema that is none.
    """
    try:
        if len(json.dumps(arguments, allow_nan=False).encode()) > _MOST_BYTES:
            return [f"the arguments are longer than {_MOST_BYTES} bytes"]
    except (ValueError, TypeError, RecursionError):
        return ["the arguments are not JSON"]
    faults = []
    for error in _errors(schema, arguments):
        faults.append(_told(error))
        if len(faults) == _MOST_TOLD:
            break
    return faults


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises: InvalidRequest that says where."""
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - slow import

    try:
        Draft202012Validator.check_schema(_checked_quickly(schema))
    except SchemaError as error:
        raise InvalidRequest("schema", f"{error.json_path}: {error.message[:200]}") from None
    except RecursionError:
        raise InvalidRequest("schema", "the schema is nested too deeply") from None


def _errors(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[Any]:
    """The registry is empty: nothing is ever fetched."""
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - slow import
    from jsonschema.exceptions import UnknownType  # noqa: PLC0415 - slow import
    from referencing import Registry  # noqa: PLC0415 - slow import
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - slow import

    try:
        yield from Draft202012Validator(_checked_quickly(schema), registry=Registry()).iter_errors(arguments)
    except (SchemaError, UnknownType, Unresolvable, RecursionError, TypeError, ValueError, re.error) as error:
        raise InvalidRequest("schema", f"the schema cannot be checked: {type(error).__name__}") from None


def _told(error: Any) -> str:
    where = error.json_path.removeprefix("$").removeprefix(".")
    expected = error.validator_value
    match error.validator:
        case "required":
            told = "needs " + ", ".join(str(name) for name in expected if name not in error.instance)
        case "additionalProperties":
            told = "has only " + (", ".join(error.schema.get("properties", {})) or "nothing")
        case "enum":
            told = "must be one of " + ", ".join(json.dumps(choice, ensure_ascii=False) for choice in expected)
        case "type":
            wanted = expected if isinstance(expected, str) else " or ".join(expected)
            told = f"must be {wanted}, not {_KINDS.get(type(error.instance), 'object')}"
        case "pattern":
            told = f"must look like {expected}"
        case "anyOf" | "oneOf":
            told = "fits none, or too many, of the forms that it may have"
        case _:
            told = f"{error.validator} is {str(expected)[:_SHOWN]}"
    return f"{where[:_LONGEST_WHERE] or 'the arguments'}: {told[:_LONGEST_TOLD]}"


def _checked_quickly(schema: Any) -> Any:
    """Without patterns whose matching could hold up the worker, and with a bound for the texts of the others."""
    if isinstance(schema, list):
        return [_checked_quickly(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    quick = {name: value if name in ("enum", "const") else _checked_quickly(value) for name, value in schema.items()}
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        if _is_costly(pattern):
            del quick["pattern"]
        else:
            longest = schema.get("maxLength", _LONGEST_MATCHED)
            quick["maxLength"] = min(longest, _LONGEST_MATCHED) if isinstance(longest, int) else longest
    return quick


def _is_costly(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return True
    return bool(_COSTLY.search(pattern)) or len(_ENDLESS.findall(_ESCAPED.sub("", pattern))) > 2
