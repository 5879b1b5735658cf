"""What Vonage does with the actions of an NCCO, one after the other, on the line of one call."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from local_stack.phones import g711, tones, wav
from local_stack.phones.floor import AGENT_SPEAKS_ON, UNKNOWN
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.provider_ear import ProviderEar
from local_stack.phones.provider_voice import ProviderVoice
from local_stack.phones.resampling import to_telephone
from local_stack.phones.vonage.account import new_leg
from local_stack.phones.vonage.faults import VonageFault
from local_stack.phones.vonage.hearing import Hearing
from local_stack.phones.vonage.media_stream import MediaStream
from local_stack.phones.vonage.misbehaviour import ONCE
from local_stack.phones.vonage.ncco import (
    Action,
    Connect,
    Input,
    Notify,
    Phone,
    Record,
    Stream,
    Talk,
    Wait,
    WebSocket,
)
from local_stack.phones.vonage.notices import Notices, moment
from local_stack.phones.vonage.options import CallOptions
from local_stack.phones.vonage.recordings import Recording, Recordings
from local_stack.phones.vonage.state import LegState
from local_stack.phones.vonage.transfer import Transferring
from local_stack.phones.vonage.webhooks import WebhookSender


class Performing:
    """Of one call, from its answer to its end."""

    def __init__(
        self,
        options: CallOptions,
        state: LegState,
        line: PhoneLine,
        sender: WebhookSender,
        notices: Notices,
        *,
        recordings: Recordings,
    ) -> None:
        self._options = options
        self._state = state
        self._line = line
        self._sender = sender
        self._notices = notices
        self._ear = ProviderEar()
        self._voice = ProviderVoice(line, options.speech)
        self._ways = options.misbehaviours
        self._recordings = recordings
        self._recording: Recording | None = None
        self.has_begun = False
        """Whether the app has taken up the conversation."""
        line.listeners.append(self._ear.take)

    async def perform(self, actions: list[Action]) -> list[Action] | None:
        """What takes their place; None once all are done. Raises: LineOver, LineCut, VonageFault."""
        for action in actions:
            self._line.floor = UNKNOWN if isinstance(action, Connect) else AGENT_SPEAKS_ON
            following = await self._one(action)
            if following is not None:
                return following
        await self._voice.finish()
        return None

    async def _one(self, action: Action) -> list[Action] | None:
        match action:
            case Talk(text, barge_in, language):
                await self._talk(text, language, barge_in=barge_in)
            case Stream(url, barge_in):
                await self._play(url, barge_in=barge_in)
            case Input():
                self.has_begun = True
                result = await Hearing(self._line, self._voice, self._ear, self._options.speech).result(action)
                return await self._ask("input", action.url, {**result, **self._state.parties()})
            case Notify(payload, url):
                conversation = {"conversation_uuid": self._state.conversation}
                return await self._ask("notify", url, {"payload": dict(payload), **conversation})
            case Wait(seconds):
                await self._line.pause(seconds)
            case Record(url, channels, beeps):
                self.start_recording(url, channels)
                if beeps:
                    self._voice.play(tones.beep())
            case Connect(WebSocket() as endpoint):
                return await self._connect(action, endpoint)
            case Connect(Phone() as phone):
                transferring = Transferring(self._options, self._state, self._line, self._sender, self._notices)
                return await transferring.run(action, phone)
        return None

    async def _talk(self, text: str, language: str, *, barge_in: bool) -> None:
        self.has_begun = True
        if not self._voice.is_busy:
            self._ear.forget()
        self._voice.say(text, language)
        if not barge_in:
            await self._voice.finish()
            self._ear.forget()

    async def _play(self, url: str, *, barge_in: bool) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
                recording = wav.read(await response.content.read(8 * 1024 * 1024))
        except (aiohttp.ClientError, OSError, TimeoutError, wav.UnusableAudio) as error:
            raise VonageFault("stream", f"{url} gave no sound: {error or type(error).__name__}") from None
        sound = await asyncio.to_thread(to_telephone, recording.samples, recording.rate_hz)
        self._voice.play(g711.encode(sound))
        if not barge_in:
            await self._voice.finish()

    async def _ask(self, kind: str, url: str | None, facts: dict[str, Any]) -> list[Action] | None:
        """Time passes on the line meanwhile. An app that fails is passed over. Raises: LineOver, LineCut."""
        url = url or self._options.event_url
        if url is None:
            return None
        self._line.floor = AGENT_SPEAKS_ON
        document = {**facts, "timestamp": moment(self._line.now_ms())}
        asking = asyncio.create_task(self._sender.ask(kind, url, document))
        try:
            await self._line.until(asking.done)
        finally:
            asking.cancel()
        try:
            return await asking
        except VonageFault as fault:
            self._line.log.add("carrier_error", code=fault.code, message=fault.message)
            return None

    async def _connect(self, action: Connect, endpoint: WebSocket) -> list[Action] | None:
        """The socket is a leg of its own, whose events bear its own id."""
        leg, url = new_leg(), action.url or self._options.event_url
        self._notices.tell(url, self._socket_event(leg, endpoint, "started"))
        ways, self._ways = self._ways, self._ways - ONCE
        stream = MediaStream(self._line, endpoint, self._options.account, ways)
        self.has_begun = True
        try:
            await stream.run()
        except VonageFault as fault:
            self.has_begun = False
            self._line.log.add("carrier_error", code=fault.code, message=fault.message)
            self._notices.tell(url, self._socket_event(leg, endpoint, "failed"))
            return None
        return await self._ask("disconnected", url, self._socket_event(leg, endpoint, "disconnected"))

    def _socket_event(self, leg: str, endpoint: WebSocket, status: str) -> dict[str, Any]:
        facts = {"status": status, "direction": "outbound", "headers": dict(endpoint.headers)}
        ends = {"from": self._state.parties()["to"], "to": endpoint.uri, "uuid": leg}
        conversation = {"conversation_uuid": self._state.conversation}
        return {**facts, **ends, **conversation, "timestamp": moment(self._line.now_ms())}

    def say(self, text: str) -> None:
        """By the REST API, into whatever happens."""
        self._voice.say(text)

    async def silence(self) -> None:
        await self._voice.stop()

    def press(self, keys: str) -> None:
        """By the REST API: they sound in the caller's ear; `p` is a pause of half a second."""
        self._line.log.add("keys_sent", digits=keys)
        self._line.play(tones.keys(keys.replace("p", "w")))

    def start_recording(self, url: str | None, channels: int = 1) -> None:
        """Of both sides; nothing changes where one runs."""
        if self._recording is None:
            self._recording = Recording(url or self._options.event_url, self._line.now_ms(), channels)
            self._recording.begin(self._line)
            self._recordings.add(self._recording)

    def stop_recording(self) -> None:
        """Tells where the recording is, if there is one."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        now_ms = self._line.now_ms()
        recording.stop(now_ms)
        event = recording.event(self._recordings.api_url, self._state.conversation, now_ms)
        self._notices.tell(recording.url, event)
