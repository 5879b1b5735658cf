"""One client's connection to the realtime service, as the app reaches it: sends go out in the order of the calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Connection(Protocol):
    """Raises `MediaError` from each method: retryable if the service did not answer, else the client is gone."""

    async def send_text(self, text: str) -> None:
        """A text frame, as it is."""
        ...

    async def send_json(self, document: Mapping[str, object]) -> None:
        """A message of type json."""
        ...

    async def close(self, reason: str) -> None:
        """Close it; one that is gone already is no error."""
        ...
