"""Finds the webhook for an event: the first handler of the hub that asked for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from local_stack.web_pubsub.configuration import Configuration, EventHandler, ManagedIdentity
from local_stack.web_pubsub.http_client import Target, parse_target

_REMEMBERED_ROUTES = 1024


@dataclass(frozen=True, slots=True)
class Route:
    """Where an event goes, and the URL with which that webhook is validated before its first use."""

    target: Target
    validation: Target
    auth: ManagedIdentity | None


class EventRouting:
    """The event handlers of all hubs, with their URL templates filled in."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._routes: dict[tuple[str, str, bool], Route | None] = {}

    def route(self, hub: str, event: str, *, is_system: bool) -> Route | None:
        """The route of an event, or None if no handler wants it."""
        key = (hub, event, is_system)
        if key not in self._routes:
            if len(self._routes) >= _REMEMBERED_ROUTES:  # clients invent event names
                self._routes.clear()
            self._routes[key] = self._find(hub, event, is_system)
        return self._routes[key]

    def _find(self, hub: str, event: str, is_system: bool) -> Route | None:
        for handler in self._configuration.hub(hub).event_handlers:
            wanted = event in handler.system_events if is_system else _wants(handler, event)
            if wanted:
                return Route(
                    target=_fill_in(handler.url_template, hub, event),
                    validation=_fill_in(handler.url_template, hub, "validate"),
                    auth=handler.auth,
                )
        return None


def _fill_in(template: str, hub: str, event: str) -> Target:
    url = re.sub(r"\{hub\}", lambda _: quote(hub, safe=""), template, flags=re.IGNORECASE)
    return parse_target(re.sub(r"\{event\}", lambda _: quote(event, safe=""), url, flags=re.IGNORECASE))


def _wants(handler: EventHandler, event: str) -> bool:
    patterns = (part.strip() for part in handler.user_event_pattern.split(","))
    return any(_pattern(part).fullmatch(event) for part in patterns if part)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    """`*` is any text; upper and lower case are the same."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE | re.DOTALL)
