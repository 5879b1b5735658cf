"""Pipes in memory, with the positions and promises of Redis Streams."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Mapping

from shared.domain import pipe_names
from shared.domain.errors import Overtaken, StoreError
from shared.ports.clock import Clock
from shared.ports.pipes import Entry, Fence

Place = tuple[int, int]


def place_of(position: str) -> Place:
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence or 0)


class FakePipes:
    """Fills the ports `Pipes` and `AudioFrames`.

    `down`: while it is True, every method raises StoreError. `appended` keeps (pipe, position) in the order of
    writing. `forget` drops the pipes of a call.
    """

    def __init__(self, clock: Clock) -> None:
        self.down = False
        self.appended: list[tuple[str, str]] = []
        self._clock = clock
        self._entries: dict[str, list[Entry]] = {}
        self._tops: dict[str, Place] = {}
        self._epochs: dict[str, int] = {}
        self._grown = asyncio.Condition()

    @property
    def names(self) -> set[str]:
        """The pipes that there are."""
        return set(self._entries)

    def forget(self, call_id: str) -> None:
        prefix = pipe_names.call_prefix(call_id)
        for pipe in [name for name in self._entries if name.startswith(f"{prefix}:")]:
            del self._entries[pipe]
            del self._tops[pipe]

    async def append(
        self,
        pipe: str,
        fields: Mapping[str, bytes | str],
        *,
        position: str | None = None,
        must_exist: bool = False,
        fence: Fence | None = None,
    ) -> None:
        self._require_up()
        if fence is not None:
            await self.check(fence)
        if must_exist and pipe not in self._entries:
            return
        top = self._tops.get(pipe, (0, 0))
        now = int(self._clock.now_ms())
        place = place_of(position) if position else ((now, 0) if now > top[0] else (top[0], top[1] + 1))
        if place <= top:
            return
        values = {
            name.encode(): value if isinstance(value, bytes) else value.encode() for name, value in fields.items()
        }
        written = f"{place[0]}-{place[1]}"
        self._entries.setdefault(pipe, []).append(Entry(written, values))
        self._tops[pipe] = place
        self.appended.append((pipe, written))
        async with self._grown:
            self._grown.notify_all()

    async def fence(self, key: str) -> Fence:
        self._require_up()
        self._epochs[key] = self._epochs.get(key, 0) + 1
        return Fence(key, self._epochs[key])

    async def check(self, fence: Fence) -> None:
        self._require_up()
        if self._epochs.get(fence.key, 0) > fence.epoch:
            raise Overtaken("step_overtaken", f"a later execution than {fence.epoch} has taken the step over")

    async def append_frame(self, call_id: str, connection_id: str, event_id: str, payload: bytes) -> None:
        pipe = pipe_names.frames(call_id)
        await self.append(pipe, {"c": connection_id, "i": event_id, "d": payload}, must_exist=True)

    async def follow(
        self, pipe: str, after: str = "0-0", *, idle_s: float = 5.0
    ) -> AsyncGenerator[list[Entry], None]:
        place = place_of(after)
        while True:
            self._require_up()
            found: list[Entry] = []
            try:
                async with asyncio.timeout(idle_s), self._grown:
                    while not (found := self._after(pipe, place)):
                        await self._grown.wait()
            except TimeoutError:
                pass
            if found:
                place = place_of(found[-1].position)
            yield found

    async def read(self, pipe: str, after: str = "0-0") -> list[Entry]:
        self._require_up()
        return self._after(pipe, place_of(after))

    async def last(self, pipe: str) -> Entry | None:
        self._require_up()
        entries = self._entries.get(pipe)
        return entries[-1] if entries else None

    async def trim(self, pipe: str, before: str) -> None:
        self._require_up()
        if pipe in self._entries:
            self._entries[pipe] = [e for e in self._entries[pipe] if place_of(e.position) >= place_of(before)]

    def _after(self, pipe: str, place: Place) -> list[Entry]:
        entries = self._entries.get(pipe, [])
        return entries[bisect_right(entries, place, key=lambda entry: place_of(entry.position)) :]

    def _require_up(self) -> None:
        if self.down:
            raise StoreError("fake_down", "the pipes are down", retryable=True)
