"""A connection to Redis that is made when it is first needed, and again when it was lost."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from typing import Any

from shared.adapters.redis.address import RedisAddress
from shared.adapters.redis.entra import EntraSignIn, SignIn
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.wire import Request, Wire, open_wire, sign_in
from shared.domain.errors import StoreError

logger = logging.getLogger(__name__)

COMMAND_DEADLINE_S = 2.0
CONNECT_DEADLINE_S = 2.0
KEY_LIFETIME_S = 5 * 3600
"""Longer than the longest call that the settings allow; what a crash leaves behind goes away by itself."""
_ATTEMPTS = 3
"""To connect, before those who wait are told."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.2
_FIRST_SIGN_IN_DEADLINE_S = 6.0
"""On top of the deadlines of commands: the identity's SDK is loaded then, and its service slow to begin."""
_RENEW_BEFORE_S = 240.0
"""The identity's SDK gets a new token in the last five minutes of the old one."""
_RENEW_AGAIN_S = 30.0


class RedisConnection:
    """Commands of the same tick of the event loop leave in one write; nobody waits for another's reply.

    What was in flight when the connection broke is asked once more if `again`, else it fails; either way within
    the deadline of the command. Bound to the event loop that uses it; another loop gets a connection anew.
    """

    def __init__(
        self, address: RedisAddress, *, entra: EntraSignIn | None = None, deadline_s: float = COMMAND_DEADLINE_S
    ) -> None:
        self._address = address
        self._entra = entra
        self._deadline_s = deadline_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forget()

    def ask(self, what: str, command: bytes, *, again: bool = True, pace: Pace | None = None) -> asyncio.Future[Any]:
        """The reply to one packed command. Raises (when awaited): StoreError, also where Redis refuses.

        With a `pace` the command may wait for others; one without it takes all that wait along.
        """
        return self._enqueue(what, command, 0, again, pace)

    def ask_all(self, what: str, commands: Sequence[bytes], *, again: bool = True) -> asyncio.Future[list[Any]]:
        """The replies to several packed commands, among them `ReplyError` as a value. Raises: StoreError."""
        return self._enqueue(what, b"".join(commands), len(commands), again)

    def interrupt(self, reason: str) -> None:
        """Give up the socket that there is; what is in flight is asked again or fails."""
        if self._wire is not None:
            self._wire.close(reason)

    async def aclose(self) -> None:
        """Hang up; whoever waits is told. It may be used again."""
        if self._loop is not asyncio.get_running_loop():
            return
        self._closing = True
        for task in (self._connecting, self._renewing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for timer in (self._timer, self._flush_later):
            if timer is not None:
                timer.cancel()
        self.interrupt("closed")
        self._fail_unsent("closed")
        self._forget()
        if self._entra is not None:
            await self._entra.aclose()

    def _forget(self) -> None:
        self._wire: Wire | None = None
        self._unsent: list[Request] = []
        self._flush_is_due = False
        self._flush_later: asyncio.TimerHandle | None = None
        self._failures = 0
        self._closing = False
        self._signing_in = False
        self._was_signed_in = False
        self._connecting: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def _enqueue(
        self, what: str, payload: bytes, wanted: int, again: bool, pace: Pace | None = None
    ) -> asyncio.Future[Any]:
        loop = self._loop
        if loop is None or not loop.is_running():  # asking for the running loop each time would be a system call
            self._loop = loop = asyncio.get_running_loop()
            self._forget()
        now_s = loop.time()
        future: asyncio.Future[Any] = loop.create_future()
        self._unsent.append(Request(what, payload, wanted, future, now_s + self._deadline_s, again=again))
        if pace is None or not (gather_s := pace.pause_s(1, now_s)):
            self._flush_soon(loop)
        elif self._flush_later is None and not self._flush_is_due:
            self._flush_later = loop.call_later(gather_s, self._flush)
        return future

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._flush_is_due:
            self._flush_is_due = True
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        if self._flush_later is not None:
            self._flush_later.cancel()
            self._flush_later = None
        if self._wire is not None:
            asked = [request for request in self._unsent if not request.future.done()]
            self._unsent = []
            self._wire.send(asked)
        elif self._unsent and self._connecting is None and self._loop is not None and not self._closing:
            self._connecting = self._loop.create_task(self._connect(), name="redis-connect")
        self._watch()

    # Connecting

    async def _connect(self) -> None:
        """Until it is done, or those who wait have been told that it cannot be done."""
        try:
            signed = await self._sign_in()
            for _ in range(_ATTEMPTS):
                if self._failures:
                    await asyncio.sleep(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures - 1, 8)))
                try:
                    async with asyncio.timeout(CONNECT_DEADLINE_S):
                        wire = await open_wire(self._address, self._on_lost, signed.user, signed.password)
                except (OSError, StoreError) as error:
                    reason = _reason(error)
                else:
                    if not wire.lost:
                        self._use(wire, signed)
                        return
                    reason = "Redis hung up"
                self._failures += 1
            self._fail_unsent(reason)
        except Exception as error:  # noqa: BLE001 - an identity's library raises errors of its own kinds
            self._fail_unsent(f"sign in: {_reason(error)}")
        finally:
            self._connecting = None
            self._flush()

    async def _sign_in(self) -> SignIn:
        """Raises: TimeoutError, whatever the identity's library raises."""
        if self._entra is None:
            return SignIn(self._address.user, self._address.password, math.inf)
        deadline_s = CONNECT_DEADLINE_S if self._was_signed_in else _FIRST_SIGN_IN_DEADLINE_S
        self._signing_in = True
        try:
            async with asyncio.timeout(deadline_s):
                signed = await self._entra()
        finally:
            self._signing_in = False
        self._was_signed_in = True
        due = asyncio.get_running_loop().time() + self._deadline_s
        for request in self._unsent:
            request.due = max(request.due, due)
        self._watch()
        return signed

    def _use(self, wire: Wire, signed: SignIn) -> None:
        self._wire, self._failures = wire, 0
        if self._renewing is not None:
            self._renewing.cancel()
        if self._entra is not None:
            self._renewing = asyncio.create_task(self._renew(wire, signed.expires_at), name="redis-sign-in")

    async def _renew(self, wire: Wire, expires_at: float) -> None:
        """Sign in again before the token expires, as long as this socket lasts."""
        assert self._entra is not None
        while True:
            await asyncio.sleep(max(_RENEW_AGAIN_S, expires_at - _RENEW_BEFORE_S - time.time()))
            if wire.lost:
                return
            try:
                async with asyncio.timeout(_FIRST_SIGN_IN_DEADLINE_S):
                    signed = await self._entra()
                if signed.expires_at > expires_at:
                    await self.ask("sign in again", sign_in(signed.user, signed.password))
                    expires_at = signed.expires_at
            except Exception as error:  # noqa: BLE001 - whatever it is, there are minutes left to try again
                logger.warning("Redis: the sign-in could not be renewed: %s", type(error).__name__)

    def _on_lost(self, wire: Wire, reason: str, unanswered: list[Request]) -> None:
        if wire is self._wire:
            self._wire = None
        if self._loop is None or self._loop.is_closed():
            return
        now, repeated = self._loop.time(), []
        for request in unanswered:
            if request.again and request.due > now and not self._closing:
                request.repeat()
                repeated.append(request)
            else:
                request.fail(_unavailable(request, reason))
        self._unsent = repeated + self._unsent
        if self._unsent:
            self._flush_soon(self._loop)

    # Deadlines

    def _watch(self) -> None:
        """One timer for all that wait, at the deadline of the oldest."""
        if self._timer is not None or self._loop is None:
            return
        waiting = self._wire.in_flight if self._wire is not None and self._wire.in_flight else self._unsent
        if waiting:
            self._timer = self._loop.call_at(waiting[0].due, self._on_due)

    def _on_due(self) -> None:
        assert self._loop is not None
        self._timer = None
        now = self._loop.time()
        if self._wire is not None and self._wire.in_flight and self._wire.in_flight[0].due <= now:
            self._wire.close("no answer in time")
        if not self._signing_in:
            late = [request for request in self._unsent if request.due <= now]
            self._unsent = [request for request in self._unsent if request.due > now]
            for request in late:
                request.fail(_unavailable(request, "no connection in time"))
            self._watch()

    def _fail_unsent(self, reason: str) -> None:
        unsent, self._unsent = self._unsent, []
        for request in unsent:
            request.fail(_unavailable(request, reason))


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, StoreError) else type(error).__name__


def _unavailable(request: Request, reason: str) -> StoreError:
    return StoreError("redis_unavailable", f"{request.what}: {reason}", retryable=True)


def connect(
    url: str,
    *,
    entra: bool = False,
    client_id: str | None = None,
    block_s: float = 0.0,
    deadline_s: float = COMMAND_DEADLINE_S,
) -> RedisConnection:
    """A connection that is not yet made.

    `deadline_s`: for a command, waiting for the connection included. `block_s`: how long a blocking read may wait
    on top of it. With `entra` the sign-in is by token of the managed identity `client_id`.
    Raises: InvalidRequest for a URL that is none.
    """
    signing_in = EntraSignIn(client_id) if entra else None
    return RedisConnection(RedisAddress.parse(url), entra=signing_in, deadline_s=deadline_s + block_s)
