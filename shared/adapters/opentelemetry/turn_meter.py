"""Fills `TurnMeter` with OpenTelemetry, on a thread of its own: no call waits for it, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

from shared.adapters.opentelemetry.destinations import Destinations
from shared.domain.call import Turn

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider

    from shared.adapters.opentelemetry.instruments import Instruments

logger = logging.getLogger(__name__)

_SERVICE = "voice-agent"
_FLUSH_S = 3.0


class OpenTelemetryTurnMeter:
    """Without destinations it does nothing. The SDK is imported with the first turn, on the thread."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="turn-meter")
        self._provider: MeterProvider | None = None
        self._instruments: Instruments | None = None
        self._has_failed = False
        self._flush_to_come: Future[None] | None = None

    def record(self, turn: Turn, *, provider: str, tenant_id: str, agent_id: str) -> None:
        if not self._destinations.any:
            return
        attributes = {
            "voice_agent.provider": provider,
            "voice_agent.tenant.id": tenant_id,
            "voice_agent.agent.id": agent_id,
        }
        self._submit(lambda: self._record(turn, attributes))

    async def flush(self) -> None:
        if not self._destinations.any:
            return
        waiting = self._flush_to_come
        if waiting is None or waiting.running() or waiting.done():
            waiting = self._flush_to_come = self._submit(self._flush)  # calls that end together share it
        if waiting is not None:
            await asyncio.wait({asyncio.wrap_future(waiting)}, timeout=_FLUSH_S)

    def close(self) -> None:
        """Send the rest and stop; for the end of a process that has the time."""
        if self._destinations.any:
            self._submit(self._shut_down)
        self._thread.shutdown()

    def _submit(self, work: Callable[[], None]) -> Future[None] | None:
        try:
            return self._thread.submit(self._guarded, work)
        except RuntimeError:
            logger.info("a turn is not measured: the process is ending")
            return None

    def _guarded(self, work: Callable[[], None]) -> None:
        if self._has_failed:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever fails in an SDK, the calls go on
            self._has_failed = self._instruments is None
            more = "; no turn will be" if self._has_failed else ""
            logger.error("a turn is not measured%s: %s", more, str(error) or type(error).__name__)

    # What follows runs on the thread.

    def _record(self, turn: Turn, attributes: Mapping[str, str]) -> None:
        if self._instruments is None:
            self._provider, self._instruments = _open(self._destinations)
        self._instruments.record(turn, attributes)

    def _flush(self) -> None:
        if self._provider is not None:
            self._provider.force_flush(_FLUSH_S * 1000)

    def _shut_down(self) -> None:
        if self._provider is not None:
            self._provider.shutdown(_FLUSH_S * 1000)


def _open(destinations: Destinations) -> tuple[MeterProvider, Instruments]:
    """Each process is an instance of its own, since its figures are added up from its own start."""
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - not before somebody wants the figures
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415

    from shared.adapters.opentelemetry.instruments import METER, Instruments  # noqa: PLC0415

    own = Resource({"service.name": _SERVICE, "service.instance.id": str(uuid4())})
    provider = MeterProvider(
        destinations.readers(),
        resource=own.merge(OTELResourceDetector().detect()),
        shutdown_on_exit=False,  # it would hold up the end of the process
    )
    return provider, Instruments(provider.get_meter(METER))
