"""What a scripted model finds where structured output is wanted: the script's values in the smallest fitting one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local_stack.speech.routes.chat_request import message_text
from local_stack.speech.scripted.examples import example_of
from local_stack.speech.scripted.script import Exchange


def found(
    schema: Mapping[str, Any],
    messages: Sequence[Mapping[str, Any]],
    finds: Mapping[str, Any],
    dialogue: Iterable[Exchange],
) -> Any:
    """`finds` of the whole call, and those of the exchange whose caller's words stand last in the last message;
    of both, only what the schema has a property for.
    """
    document = example_of(dict(schema))
    if not isinstance(document, dict):
        return document
    known = dict(finds) | _of_exchange(message_text(dict(messages[-1])) if messages else "", dialogue)
    properties = schema.get("properties", {})
    return document | {name: value for name, value in known.items() if name in properties}


def _of_exchange(text: str, dialogue: Iterable[Exchange]) -> dict[str, Any]:
    """Words are looked for as they stand in JSON, too."""
    places: list[tuple[int, Exchange]] = []
    for exchange in dialogue:
        if exchange.finds and exchange.heard:
            escaped = json.dumps(exchange.heard, ensure_ascii=False)[1:-1]
            places.append((max(text.rfind(exchange.heard), text.rfind(escaped)), exchange))
    place, exchange = max(places, key=lambda each: each[0], default=(-1, Exchange("", ())))
    return dict(exchange.finds) if place >= 0 else {}
