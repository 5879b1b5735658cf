"""A voice agent of Sarvam's on its realtime socket: a caller's sound goes in, and what the agent does comes out.

Source: `conversation.py` and `messages/` of https://pypi.org/project/sarvam-conv-ai-sdk/1.1.1. The sound is PCM16
mono though its format is called `audio/wav`; message types that the SDK lists and does not read are passed over.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from shared.adapters.sarvam.agents_api import AgentsApi
from shared.adapters.sarvam.hooks import CALL_VARIABLE, number_of
from shared.adapters.sarvam.languages import agent_language
from shared.domain.audio import SAMPLE_RATE_HZ, samples_of
from shared.domain.errors import TelephonyError
from shared.domain.json_text import read_json
from shared.domain.manner import Delegate
from shared.domain.resampling import Resampler
from shared.ports.delegates import DelegateEvent, Interrupted, Meeting, Over, Sound, Uttered

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

_CONNECT_S = 5.0
_CLOSE_S = 2.0
_SILENT_S = 60.0
"""It sends signs of life much more often."""
_LARGEST_MESSAGE_BYTES = 4 * 2**20
_RATES_HZ = frozenset({8_000, 16_000, 22_050, 24_000, 44_100, 48_000})


class SamvaadDelegates:
    """Fills the port `Delegates`."""

    def __init__(self, api: AgentsApi, *, silent_s: float = _SILENT_S) -> None:
        self._api = api
        self._silent_s = silent_s
        self._made: aiohttp.ClientSession | None = None

    async def open(self, delegate: Delegate, meeting: Meeting) -> SamvaadSession:
        path = self._api.workspace.path("app-runtime", f"apps/{delegate.app_id}/url")
        version = {} if delegate.version is None else {"version": str(delegate.version)}
        link = await self._api.get("meet the agent", path, {"interaction_type": "call", **version})
        url = link.get("url") if isinstance(link, dict) else None
        if not isinstance(url, str) or not url.startswith(("wss://", "ws://")):
            raise TelephonyError("sarvam_failed", "meet the agent: no socket in the answer", retryable=True)
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await self._begin(_with_caller(url, meeting.caller), meeting)
        except (OSError, TimeoutError, ValueError) as error:
            raise _gone(type(error).__name__) from error

    async def _begin(self, url: str, meeting: Meeting) -> SamvaadSession:
        import aiohttp  # noqa: PLC0415 - slow import

        if self._made is None or self._made.closed:
            self._made = aiohttp.ClientSession()
        timeout = aiohttp.ClientWSTimeout(ws_close=_CLOSE_S)
        try:
            socket = await self._made.ws_connect(
                url, timeout=timeout, compress=0, max_msg_size=_LARGEST_MESSAGE_BYTES
            )
        except aiohttp.ClientError as error:
            raise _gone(type(error).__name__) from error
        session = SamvaadSession(socket, silent_s=self._silent_s)
        try:
            await session.begin(meeting)
        except BaseException:
            await session.end()
            raise
        return session

    async def close(self) -> None:
        """Close its connections."""
        if self._made is not None:
            await self._made.close()


class SamvaadSession:
    """Fills the port `DelegateSession`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, silent_s: float) -> None:
        self._socket = socket
        self._silent_s = silent_s
        self._resampler: tuple[int, Resampler] | None = None

    async def begin(self, meeting: Meeting) -> None:
        """Until the agent is there. Raises: TelephonyError."""
        variables = {CALL_VARIABLE: meeting.call_id, **meeting.variables}
        wishes = {
            "initial_language_name": agent_language(meeting.language),
            "initial_bot_message": meeting.greeting or None,
        }
        known = {name: value for name, value in wishes.items() if value is not None}
        await self._send("client.action.interaction_start", agent_variables=variables, **known)
        while True:
            message = await self._receive()
            match message.get("type"):
                case "server.action.interaction_connected":
                    return
                case "server.action.interaction_end":
                    raise TelephonyError("sarvam_refused", "meet the agent: it ended the conversation at once")
                case _:
                    await self._answer_sign_of_life(message)

    async def hear(self, pcm: bytes) -> None:
        audio = base64.b64encode(pcm).decode()
        form = {"format": "audio/wav", "sample_rate": SAMPLE_RATE_HZ}
        await self._send("client.media.audio_chunk", audio_base64=audio, **form)

    async def events(self) -> AsyncGenerator[DelegateEvent, None]:
        while True:
            message = await self._receive()
            event = self._read(message)
            if event is None:
                await self._answer_sign_of_life(message)
                continue
            yield event
            if isinstance(event, Over):
                return

    async def end(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                if not self._socket.closed:
                    await self._send("client.action.interaction_end")
        except (TelephonyError, TimeoutError) as error:
            logger.info("the agent was gone when it was taken leave of: %s", type(error).__name__)
        await self._socket.close()

    def _read(self, message: dict[str, Any]) -> DelegateEvent | None:
        """What it means for the call; None where nothing, or nothing that is known."""
        match message.get("type"):
            case "server.media.audio_chunk":
                return self._sound(message)
            case "server.event.user_interrupt":
                self._resampler = None
                return Interrupted()
            case "server.event.transcription":
                text = message.get("content")
                said = text.strip() if isinstance(text, str) else ""
                return Uttered(message.get("role") == "user", said) if said else None
            case "server.action.interaction_end":
                return Over()
            case _:
                return None

    def _sound(self, message: dict[str, Any]) -> Sound | None:
        is_last = message.get("status") != "pending"
        try:
            pcm = base64.b64decode(message.get("audio_base64", ""), validate=True)
        except (ValueError, TypeError):
            logger.warning("the agent sent sound that is none")
            return None
        rate_hz = message.get("sample_rate") or SAMPLE_RATE_HZ
        if not isinstance(rate_hz, int) or rate_hz not in _RATES_HZ:
            logger.warning("the agent speaks at an unknown rate")
            return None
        return Sound(self._at_our_rate(pcm[: len(pcm) & ~1], rate_hz), is_last)

    def _at_our_rate(self, pcm: bytes, rate_hz: int) -> bytes:
        if rate_hz == SAMPLE_RATE_HZ:
            return pcm
        if self._resampler is None or self._resampler[0] != rate_hz:
            self._resampler = rate_hz, Resampler(rate_hz, SAMPLE_RATE_HZ)
        return self._resampler[1].push(samples_of(pcm)).tobytes()

    async def _answer_sign_of_life(self, message: dict[str, Any]) -> None:
        if message.get("type") == "server.system.ping":
            await self._send("client.system.pong", event_id=message.get("event_id"))

    async def _receive(self) -> dict[str, Any]:
        """The next message that is one. Raises: TelephonyError."""
        while True:
            try:
                async with asyncio.timeout(self._silent_s):
                    received = await self._socket.receive()
            except TimeoutError as error:
                raise _gone("silent") from error
            if received.type.name in ("CLOSE", "CLOSING", "CLOSED", "ERROR"):
                raise _gone(f"closed ({self._socket.close_code})")
            if received.type.name != "TEXT":
                continue
            try:
                message = read_json(received.data.encode())
            except (ValueError, RecursionError):
                logger.warning("the agent sent what is not JSON")
                continue
            if isinstance(message, dict):
                return message

    async def _send(self, kind: str, **facts: Any) -> None:
        message = {"origin": "client", "type": kind, "timestamp": time.time(), **facts}
        try:
            await self._socket.send_str(json.dumps(message, ensure_ascii=False))
        except (OSError, RuntimeError) as error:  # aiohttp's errors of a closing connection are among them
            raise _gone(type(error).__name__) from error


def _with_caller(url: str, caller: str) -> str:
    """The signed address, with who calls."""
    parts = urlsplit(url)
    number = number_of(caller)
    who = {
        "user_identifier": number or caller or "unknown",
        "user_identifier_type": "phone_number" if number else "custom" if caller else "unknown",
        "sample_rate": str(SAMPLE_RATE_HZ),
        "interaction_type": "call",
    }
    return urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **who})))


def _gone(reason: str) -> TelephonyError:
    return TelephonyError("sarvam_unavailable", f"the agent's socket: {reason}", retryable=True)
