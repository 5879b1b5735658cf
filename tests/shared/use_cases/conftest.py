"""Time is virtual in these tests: sleeps and deadlines take none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual": VirtualTimeLoop}
