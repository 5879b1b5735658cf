"""What the app offers of what scenarios need; the app itself is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local_stack.eval.app_door import AppDoor

_FOUND: Final = 200
_PATHS: Final[Mapping[str, str]] = {"knowledge": "/api/knowledge/eval/documents"}
"""What answers an administrator where it is set up."""


async def offered(wanted: set[str], app: AppDoor) -> set[str]:
    """Which of the needs the app meets. Raises: CannotEvaluate."""
    return {need for need in wanted if await app.status_of("GET", _PATHS[need]) == _FOUND}
