"""What a tool gave, in the words of a scripted answer: so that it can be seen whether it has reached the model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from local_stack.speech.routes.chat_request import message_text

_RESULT = re.compile(r"\{result((?:\.\w+)*)\}")
_MISSING = "(nothing)"


def with_results(text: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """`{result}` stands for what the last message of a tool says, `{result.orders.0.status}` for a part of it where
    it is JSON; for what is not there, `(nothing)`.
    """
    return _RESULT.sub(lambda found: _told(messages, found[1].split(".")[1:]), text)


def _told(messages: Sequence[Mapping[str, Any]], path: Sequence[str]) -> str:
    told = next((message_text(each) for each in reversed(messages) if each.get("role") == "tool"), None)
    if told is None or not path:
        return told or _MISSING
    try:
        found = reduce(_part, path, json.loads(told))
    except (ValueError, LookupError, TypeError):
        return _MISSING
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _part(whole: Any, name: str) -> Any:
    return whole[int(name)] if isinstance(whole, list) else whole[name]
