"""The caller's end of the line: what was played there, what was shown, and who hung up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError, TelephonyError
from shared.domain.steps import CallRequest, FetchRequest
from shared.domain.telephony.commands import Dial, DialUncertain, SendKeys, Transfer
from shared.domain.telephony.lines import Capability
from shared.domain.telephony.progress import CallState
from shared.ports.clock import Clock
from shared.ports.pipes import Pipes


@dataclass(frozen=True)
class Played:
    """A piece in the carrier's buffer; it sounds from `from_ms` to `until_ms`, unless it was cleared before."""

    pcm: bytes
    mark: str | None
    from_ms: float
    until_ms: float


class FakeMediaChannel:
    """Fills the port `MediaChannel`: plays what it gets on the clock, and sends marks back as events.

    `errors` holds what the next sends raise, one each; `play_errors` the same for plays alone. `send_ms`: how long a
    `play` is on its way. `marks`: whether this carrier sends them. After `clear` the marks of what was thrown away
    come at once, as Twilio does it.
    """

    def __init__(self, clock: Clock, pipes: Pipes | None = None, call_id: str = "", *, marks: bool = True) -> None:
        self.messages: list[tuple[str, object]] = []
        self.errors: list[MediaError | None] = []
        self.play_errors: list[MediaError | None] = []
        self.send_ms = 0.0
        self.hung_up: list[str] = []
        self._clock = clock
        self._pipes = pipes
        self._call_id = call_id
        self._marks = marks
        self._played: list[Played] = []
        self._cleared: list[tuple[Played, float]] = []
        self._marking: dict[int, asyncio.Task[None]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def played(self) -> list[Played]:
        """Everything that was queued, in order."""
        return self._played

    @property
    def shown(self) -> list[object]:
        return [content for kind, content in self.messages if kind == "show"]

    @property
    def clears(self) -> int:
        return sum(kind == "clear" for kind, _ in self.messages)

    def heard(self) -> bytes:
        """What sounded in the caller's ear until now."""
        now_ms = self._clock.now_ms()
        cut = {id(piece): at_ms for piece, at_ms in self._cleared}
        sound = bytearray()
        for piece in self._played:
            until_ms = min(piece.until_ms, cut.get(id(piece), now_ms), now_ms)
            sound += piece.pcm[: max(0, int(until_ms - piece.from_ms)) * BYTES_PER_MS]
        return bytes(sound)

    async def play(self, pcm: bytes, mark: str | None) -> None:
        await self._send("play", mark, lambda: self._queue(pcm, mark))

    async def clear(self) -> None:
        await self._send("clear", None, self._throw_away)

    async def show(self, message: Mapping[str, object]) -> None:
        await self._send("show", dict(message), None)

    async def hang_up(self, reason: str) -> None:
        self.hung_up.append(reason)

    async def finish(self) -> None:
        """Stop playing: the caller is gone."""
        tasks = [*self._marking.values(), *self._sending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, kind: str, content: object, effect: Callable[[], None] | None) -> None:
        """Who is cancelled while sending cannot take back what is on its way."""
        sending = asyncio.create_task(self._deliver(kind, content, effect))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        await asyncio.shield(sending)

    async def _deliver(self, kind: str, content: object, effect: Callable[[], None] | None) -> None:
        await self._clock.sleep_ms(self.send_ms if kind == "play" else 0)
        error = self.errors.pop(0) if self.errors else None
        if kind == "play" and self.play_errors:
            error = self.play_errors.pop(0) or error
        if error:
            raise error
        self.messages.append((kind, content))
        if effect:
            effect()

    def _queue(self, pcm: bytes, mark: str | None) -> None:
        begins_ms = max([self._clock.now_ms(), *(p.until_ms for p in self._played if not self._is_cleared(p))])
        piece = Played(pcm, mark, begins_ms, begins_ms + len(pcm) / BYTES_PER_MS)
        self._played.append(piece)
        if self._marks and self._pipes is not None and mark is not None:
            self._marking[id(piece)] = asyncio.create_task(self._mark_when_played(piece))

    def _throw_away(self) -> None:
        now_ms = self._clock.now_ms()
        for piece in self._played:
            if piece.until_ms > now_ms and not self._is_cleared(piece):
                self._cleared.append((piece, now_ms))
                marking = self._marking.pop(id(piece), None)
                if marking:
                    marking.cancel()
                    self._marking[id(piece)] = asyncio.create_task(self._mark(piece))

    def _is_cleared(self, piece: Played) -> bool:
        return any(cleared is piece for cleared, _ in self._cleared)

    async def _mark_when_played(self, piece: Played) -> None:
        await self._clock.sleep_ms(piece.until_ms - self._clock.now_ms())
        await self._mark(piece)

    async def _mark(self, piece: Played) -> None:
        if self._pipes is not None and piece.mark is not None:
            await self._pipes.append(pipe_names.events(self._call_id), {"event": "mark", "name": piece.mark})


class FakeMediaChannels:
    """Fills the port `MediaChannels` with one channel for all."""

    def __init__(self, channel: FakeMediaChannel) -> None:
        self.channel = channel
        self.opened: list[tuple[str, str, str, str]] = []

    def open(self, provider: str, hub: str, connection_id: str, stream_id: str) -> FakeMediaChannel:
        self.opened.append((provider, hub, connection_id, stream_id))
        return self.channel

    async def ping(self) -> None:
        """Always ready."""


class FakeCallControl:
    """Fills the port `CallControl`. `error` is raised by every hang-up, `errors` by the next commands, one each.

    `told` lists what it was told. `dialled`: the calls it has begun, by attempt; with `loses_answers` it begins them
    and does not say so. `states`: what it says of calls.
    """

    def __init__(self, *lacking: Capability) -> None:
        self.capabilities = frozenset(set(Capability) - set(lacking))
        self.hung_up: list[str] = []
        self.error: TelephonyError | None = None
        self.errors: list[Exception | None] = []
        self.told: list[tuple[str, object]] = []
        self.dialled: dict[str, str] = {}
        self.dials = 0
        self.loses_answers = False
        self.states: dict[str, CallState] = {}

    async def hang_up(self, provider_call_id: str) -> None:
        if self.error:
            raise self.error
        self.hung_up.append(provider_call_id)

    async def transfer(self, provider_call_id: str, transfer: Transfer) -> None:
        self._tell(provider_call_id, transfer)

    async def send_keys(self, provider_call_id: str, keys: SendKeys) -> None:
        self._tell(provider_call_id, keys)

    async def record(self, provider_call_id: str, *, on: bool) -> None:
        self._tell(provider_call_id, on)

    async def leave_message(self, provider_call_id: str, text: str, *, language: str) -> None:
        self._tell(provider_call_id, (text, language))

    async def dial(self, dial: Dial) -> str:
        self._tell("", dial)
        self.dials += 1
        provider_call_id = self.dialled.setdefault(dial.attempt_id, f"CA{self.dials}")
        if self.loses_answers:
            raise DialUncertain("no answer")
        return provider_call_id

    async def find_dialled(self, dial: Dial) -> str | None:
        self._fail()
        return self.dialled.get(dial.attempt_id)

    async def state_of(self, provider_call_id: str) -> CallState | None:
        self._fail()
        return self.states.get(provider_call_id)

    def _tell(self, provider_call_id: str, command: object) -> None:
        self._fail()
        self.told.append((provider_call_id, command))

    def _fail(self) -> None:
        if error := self.errors.pop(0) if self.errors else None:
            raise error


class FakeOrchestrations:
    """Fills the port `Orchestrations`. `began` and `answered` list (call, turn) in order, `over` the limits too."""

    def __init__(self) -> None:
        self.started: list[CallRequest] = []
        self.dials: list[CallRequest] = []
        self.fetches: list[FetchRequest] = []
        self.running: set[str] = set()
        self.began: list[tuple[str, int]] = []
        self.over: list[tuple[str, int, int]] = []
        self.answered: list[tuple[str, int]] = []

    async def start_call(self, request: CallRequest) -> None:
        if request not in self.started:
            self.started.append(request)

    async def start_dial(self, request: CallRequest) -> None:
        if request not in self.dials:
            self.dials.append(request)

    async def start_fetching(self, request: FetchRequest) -> None:
        if request not in self.fetches:
            self.fetches.append(request)

    async def is_running(self, call_id: str) -> bool:
        return call_id in self.running

    async def speech_began(self, call_id: str, turn: int) -> None:
        self.began.append((call_id, turn))

    async def turn_over(self, call_id: str, turn: int, limit_ms: int) -> None:
        self.over.append((call_id, turn, limit_ms))

    async def turn_answered(self, call_id: str, turn: int) -> None:
        self.answered.append((call_id, turn))
