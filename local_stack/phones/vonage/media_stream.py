"""The call's audio on a WebSocket: 50 frames a second out, the agent's voice in, notify and clear between.

Source: https://developer.vonage.com/en/voice/voice-api/guides/websockets
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import aiohttp

from local_stack.phones.phone_line import LineFrame, PhoneLine
from local_stack.phones.vonage.account import Account
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.line_rate import FRAME_BYTES, FromSocket, ToSocket
from local_stack.phones.vonage.media_socket import MediaSocket
from local_stack.phones.vonage.misbehaviour import Misbehaviour, Misbehaviours
from local_stack.phones.vonage.ncco import WebSocket

MOST_WAITING_FRAMES: Final = 3072
_FRAME_MS: Final = 20
_ODD_AT_FRAME: Final = 50
_VANISHES_AFTER_MS: Final = 500


class MediaStream:
    """Runs one socket of a call, on the call's own line."""

    def __init__(self, line: PhoneLine, endpoint: WebSocket, account: Account, ways: Misbehaviours) -> None:
        self._line = line
        self._endpoint = endpoint
        self._account = account
        self._ways = ways
        self._to_socket, self._from_socket = ToSocket(), FromSocket()
        self._outbox: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._frames = 0
        self._has_closed = False
        self._is_broken = False
        self._warned: set[str] = set()

    async def run(self) -> int | None:
        """Until the app closes it; gives the close code. Raises: VonageFault; LineOver, LineCut of the line."""
        started_ms = self._line.now_ms()
        with_token = Misbehaviour.BARE_SOCKET not in self._ways
        socket = await MediaSocket.open(self._endpoint, self._account, with_token=with_token)
        took_ms = round(self._line.now_ms() - started_ms, 1)
        self._line.log.add("media_opened", url=self._endpoint.uri, took_ms=took_ms)
        sending, receiving = asyncio.create_task(self._send(socket)), asyncio.create_task(self._receive(socket))
        self._put_connected()
        self._line.listeners.append(self._pass)
        try:
            await self._line.until(lambda: self._has_closed)
        finally:
            self._line.listeners.remove(self._pass)
            await (socket.vanish() if self._is_broken else socket.close())
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)
            self._line.log.add("media_closed", code=socket.close_code)
        return socket.close_code

    def _put_connected(self) -> None:
        headers = {} if Misbehaviour.NO_TICKET in self._ways else self._endpoint.headers
        rate = "audio/l16;rate=8000" if Misbehaviour.WRONG_RATE in self._ways else self._endpoint.content_type
        self._put({"event": "websocket:connected", "content-type": rate, **headers})
        if Misbehaviour.NOT_JSON in self._ways:
            self._outbox.put_nowait("this is not JSON {")

    def _pass(self, frame: LineFrame) -> None:
        """One tick of the line: what was reached, 20 ms said, a key."""
        for payload in self._line.playback.reached_marks():
            self._put({"event": "websocket:notify", "payload": json.loads(payload)})
            self._line.log.add("mark_echoed", mark=payload, cleared=False)
        l16 = self._to_socket.convert(frame.said)
        self._frames += 1
        is_odd = Misbehaviour.TORN_FRAME in self._ways and self._frames == _ODD_AT_FRAME
        if is_odd or Misbehaviour.WRONG_RATE in self._ways:
            l16 = l16[: FRAME_BYTES // 2]
        self._outbox.put_nowait(l16)
        if frame.digit is not None:
            self._put({"event": "websocket:dtmf", "digit": frame.digit, "duration": 260})
        self._vanish_in_time(frame.at_ms)

    def _vanish_in_time(self, now_ms: float) -> None:
        started_ms = self._line.conversation.turn.speech_started_ms
        if (
            Misbehaviour.VANISHES in self._ways
            and started_ms is not None
            and now_ms >= started_ms + _VANISHES_AFTER_MS
        ):
            self._is_broken = self._has_closed = True

    def _put(self, message: dict[str, Any]) -> None:
        self._outbox.put_nowait(json.dumps(message, separators=(",", ":")))

    async def _send(self, socket: MediaSocket) -> None:
        try:
            while True:
                await socket.send(await self._outbox.get())
        except (aiohttp.ClientError, OSError) as error:
            if not self._has_closed and socket.close_code is None:
                self._line.log.add("send_failed", message=str(error) or type(error).__name__)
            self._has_closed = True

    async def _receive(self, socket: MediaSocket) -> None:
        try:
            async for message in socket.messages():
                if isinstance(message, bytes):
                    self._hear(message)
                else:
                    self._obey(message)
        except VonageFault as fault:
            self._warn(fault.code, fault.message)
            self._is_broken = True
        finally:
            self._has_closed = True

    def _hear(self, frame: bytes) -> None:
        """Raises: VonageFault for a frame that is not of 20 ms: the socket is dropped."""
        if len(frame) != FRAME_BYTES:
            raise VonageFault("frame_size", f"unexpected frame size {len(frame)}, when required {FRAME_BYTES}")
        line = self._line
        if line.playback.waiting_ms >= MOST_WAITING_FRAMES * _FRAME_MS:
            self._warn("buffer", f"more than {MOST_WAITING_FRAMES} frames wait: what comes now is dropped")
            return
        line.play(self._from_socket.convert(frame))

    def _obey(self, text: str) -> None:
        try:
            message = json.loads(text)
            action = message["action"]
        except (ValueError, RecursionError, KeyError, TypeError):
            self._warn("message", "a text message without an action")
            return
        if action == "clear":
            self._line.clear()
            self._put({"event": "websocket:cleared"})
        elif action == "notify" and isinstance(message.get("payload"), dict):
            payload = json.dumps(message["payload"], separators=(",", ":"))
            self._line.playback.mark(payload)
            self._line.log.add("mark_received", mark=payload)
        else:
            self._warn("message", f"a text message with the unknown action {str(action)[:40]!r}")

    def _warn(self, code: str, message: str) -> None:
        """Each kind of complaint once a stream."""
        if code not in self._warned:
            self._warned.add(code)
            self._line.log.add("carrier_error", code=code, message=message)
