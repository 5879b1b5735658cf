"""The way back to a caller whose socket may break and be replaced while an answer is spoken."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from shared.domain.errors import MediaError
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.media_channel import MediaChannel, MediaChannels

logger = logging.getLogger(__name__)

_COMES_BACK_MS = 3000
"""How long another socket is waited for; the provider asks us at once what comes next."""
_LOOK_AGAIN_MS = 100


class LineChannel:
    """Fills the port `MediaChannel`: that of the call's present connection, whichever it is."""

    def __init__(self, channels: MediaChannels, live_calls: LiveCalls, clock: Clock, live: LiveCall) -> None:
        self._channels = channels
        self._live_calls = live_calls
        self._clock = clock
        self._live = live
        self._channel = self._open(live)

    async def play(self, pcm: bytes, mark: str | None) -> None:
        await self._do(lambda channel: channel.play(pcm, mark))

    async def clear(self) -> None:
        await self._channel.clear()

    async def show(self, message: Mapping[str, object]) -> None:
        await self._channel.show(message)

    async def hang_up(self, reason: str) -> None:
        await self._channel.hang_up(reason)

    async def _do(self, deed: Callable[[MediaChannel], Awaitable[None]]) -> None:
        """What did not get through on a connection that is gone goes out on the one that takes its place."""
        try:
            await deed(self._channel)
        except MediaError as error:
            if error.retryable or (live := await self._moved()) is None:
                raise
            logger.info("call %s: goes on over another connection", live.call_id)
            self._live, self._channel = live, self._open(live)
            await deed(self._channel)

    async def _moved(self) -> LiveCall | None:
        """The call once it has another connection; None if it gets none, or has ended."""
        until_ms = self._clock.now_ms() + _COMES_BACK_MS
        while True:
            live = await self._live_calls.get(self._live.call_id)
            if live is None or live.end_reason:
                return None
            if live.connection_id and live.connection_id != self._live.connection_id:
                return live
            if self._clock.now_ms() >= until_ms:
                return None
            await self._clock.sleep_ms(_LOOK_AGAIN_MS)

    def _open(self, live: LiveCall) -> MediaChannel:
        return self._channels.open(live.provider, live.hub, live.connection_id, live.stream_id)
