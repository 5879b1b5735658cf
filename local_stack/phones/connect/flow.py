"""A flow as Amazon Connect stores it: blocks by name, and where each of them leads.

Source: https://docs.aws.amazon.com/connect/latest/APIReference/flow-language.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MOST_BLOCKS: Final = 250
_LONGEST_NAME: Final = 50
_NOT_IN_NAMES: Final = frozenset("%:(\\/)=$,;[]{}")
_CATCH_ALL: Final = "NoMatchingError"


class BadFlow(ValueError):
    """The flow cannot be imported; the message is one line."""


@dataclass(frozen=True)
class Block:
    """One action. `conditions` map a result to the next block, `errors` a kind of error."""

    name: str
    type: str
    parameters: Mapping[str, Any]
    following: str
    conditions: Mapping[str, str]
    errors: Mapping[str, str]

    def after(self, result: str = "") -> str:
        """The block after this result; after a result that has no branch of its own, the one for all others."""
        if result in self.conditions:
            return self.conditions[result]
        if self.conditions and "NoMatchingCondition" in self.errors:
            return self.errors["NoMatchingCondition"]
        return self.following

    def after_error(self, error: str) -> str | None:
        """None where nothing leads on: then the contact is disconnected."""
        return self.errors.get(error) or self.errors.get(_CATCH_ALL)

    @property
    def targets(self) -> frozenset[str]:
        return frozenset({*self.conditions.values(), *self.errors.values(), self.following} - {""})


@dataclass(frozen=True)
class Flow:
    start: str
    blocks: Mapping[str, Block]


def read_flow(path: Path, **filled_in: str) -> Flow:
    """`filled_in`: what stands for `{{NAME}}` in it. Raises: BadFlow, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
        for name, value in filled_in.items():
            text = text.replace(f"{{{{{name}}}}}", value)
        document = json.loads(text)
        blocks = [_block(action) for action in document["Actions"]]
        start = str(document["StartAction"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFlow(f"{path.name} is no flow: {error!r}") from None
    by_name = {block.name: block for block in blocks}
    if document.get("Version") != "2019-10-30" or len(blocks) > MOST_BLOCKS or len(by_name) != len(blocks):
        raise BadFlow("the flow's version, its size or its names are wrong")
    for block in blocks:
        if len(block.name) > _LONGEST_NAME or _NOT_IN_NAMES & set(block.name):
            raise BadFlow(f"{block.name!r} cannot be a name")
        if missing := block.targets - by_name.keys():
            raise BadFlow(f"{block.name!r} leads to {sorted(missing)}, which are not there")
    if start not in by_name:
        raise BadFlow(f"the flow begins with {start!r}, which is not there")
    return Flow(start, by_name)


def _block(action: Mapping[str, Any]) -> Block:
    transitions = action.get("Transitions") or {}
    conditions = {}
    for branch in transitions.get("Conditions", []):
        if branch["Condition"]["Operator"] != "Equals":
            raise BadFlow("only Equals is simulated")
        conditions[str(branch["Condition"]["Operands"][0])] = str(branch["NextAction"])
    errors = {str(branch["ErrorType"]): str(branch["NextAction"]) for branch in transitions.get("Errors", [])}
    following = str(transitions.get("NextAction", ""))
    return Block(
        str(action["Identifier"]), str(action["Type"]), action.get("Parameters", {}), following, conditions, errors
    )
