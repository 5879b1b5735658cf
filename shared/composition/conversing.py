"""The part of composition for what is done in a conversation: the steps of a turn, in sound and in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property

from shared.composition.channels import Channels, decoder_of
from shared.composition.providers import Providers
from shared.domain.call import OUTBOUND, EndReason
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver
from shared.domain.telephony.handed import Handed
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.delegates import Delegates
from shared.ports.directory import Directory
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCalls
from shared.ports.model_usage import ModelUsages
from shared.ports.orchestrations import Orchestrations
from shared.ports.pipes import Pipes
from shared.ports.tool_box import ToolBox
from shared.ports.voice_activity import VoiceActivityDetector
from shared.use_cases.by_line import ByLine
from shared.use_cases.calls.allow_transfer import AllowTransfer
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.delegating.carry_call import CarryCall
from shared.use_cases.hearing.hear import Hear
from shared.use_cases.knowledge.look_up import LookUp
from shared.use_cases.speaking.rescue import Rescue
from shared.use_cases.speaking.speak import Speak
from shared.use_cases.switch_language import SwitchLanguage
from shared.use_cases.texting.hear_words import HearWords
from shared.use_cases.texting.rescue_words import RescueWords
from shared.use_cases.texting.speak_words import SpeakWords
from shared.use_cases.texting.take_text_turn import TakeTextTurn
from shared.use_cases.texting.text_streams import TextStreams
from shared.use_cases.texting.transfer_orders import TransferOrders
from shared.use_cases.thinking.briefing import Sources
from shared.use_cases.thinking.keep_usage import KeepUsage
from shared.use_cases.thinking.spend_guard import SpendGuard
from shared.use_cases.thinking.think import Think
from shared.use_cases.understanding.understand import Understand


@dataclass(frozen=True)
class Conversing:
    """Each part is made when it is first used. `hand_over`: see `HearWords`."""

    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    call_store: CallStore
    channels: Channels
    files: FileStore
    detector: Callable[[], VoiceActivityDetector]
    providers: Providers
    attach_media: AttachMedia
    end_call: EndCall
    hand_over: Callable[[str, HandOver], Awaitable[None]]
    allow_transfer: AllowTransfer
    limits: CallLimits
    clock: Clock
    usages: ModelUsages
    keep_usage: KeepUsage
    delegates: Delegates | None = None
    switch_language: SwitchLanguage | None = None
    handed: Callable[[str, str], Awaitable[Handed | None]] | None = None
    tools: Callable[[], ToolBox] | None = None
    look_up: Callable[[], LookUp | None] | None = None
    understand: Callable[[], Understand] | None = None

    @cached_property
    def hear(self) -> ByLine[[Orchestrations]]:
        return ByLine(self.live_calls, self._hear_sound, self._hear_words)

    @cached_property
    def think(self) -> Think:
        return Think(
            pipes=self.pipes,
            live_calls=self.live_calls,
            directory=self.directory,
            language_model=self.providers.language_model,
            clock=self.clock,
            sources=Sources(
                handed=self.handed,
                tools=self.tools() if self.tools is not None else None,
                caller=self._caller,
                look_up=self.look_up() if self.look_up is not None else None,
                understand=self.understand() if self.understand is not None else None,
                guard=SpendGuard(self.usages, self.clock),
            ),
            keep_usage=self.keep_usage,
            end_spent=self._end_spent,
        )

    async def _end_spent(self, call_id: str) -> None:
        call = await self.call_store.of_id(call_id)
        if call is not None and not call.state.is_end:
            await self.end_call.at_once(call, EndReason.SPENT)

    async def _caller(self, call_id: str) -> str:
        """The other end of the call, as the door has proved it."""
        call = await self.call_store.of_id(call_id)
        if call is None:
            return ""
        return call.callee if call.direction == OUTBOUND else call.caller

    @cached_property
    def speak(self) -> ByLine[[Callable[[], Awaitable[None]] | None]]:
        words = SpeakWords(self.pipes, self.live_calls, self.directory, self.channels, self.clock)
        return ByLine(self.live_calls, self._speak_sound, words)

    @cached_property
    def rescue(self) -> ByLine[[]]:
        prepared = self.providers.prepared_sounds
        sound = Rescue(self.pipes, self.live_calls, self.directory, self.channels, prepared, self.clock)
        words = RescueWords(self.pipes, self.live_calls, self.directory, self.channels, self.clock)
        return ByLine(self.live_calls, sound, words)

    @cached_property
    def take_text_turn(self) -> TakeTextTurn:
        return TakeTextTurn(
            pipes=self.pipes,
            live_calls=self.live_calls,
            directory=self.directory,
            call_store=self.call_store,
            orders=self.transfer_orders,
            allow_transfer=self.allow_transfer,
            end_call=self.end_call,
            clock=self.clock,
        )

    @cached_property
    def text_streams(self) -> TextStreams:
        return TextStreams(self.pipes, self.attach_media, self.end_call, self.clock)

    @cached_property
    def transfer_orders(self) -> TransferOrders:
        return TransferOrders(self.pipes, self.live_calls, self.channels)

    @cached_property
    def _hear_sound(self) -> Hear:
        return Hear(
            pipes=self.pipes,
            live_calls=self.live_calls,
            directory=self.directory,
            detector=self.detector(),
            speech_to_text=self.providers.speech_to_text,
            decoder_of=decoder_of,
            channels=self.channels,
            files=self.files,
            clock=self.clock,
            limits=self.limits,
            hand_over=self.hand_over,
            carry=self.carry_call,
            switch_language=self.switch_language,
        )

    @cached_property
    def carry_call(self) -> CarryCall:
        return CarryCall(
            pipes=self.pipes,
            live_calls=self.live_calls,
            call_store=self.call_store,
            delegates=self.delegates,
            decoder_of=decoder_of,
            channels=self.channels,
            files=self.files,
            clock=self.clock,
            limits=self.limits,
        )

    @cached_property
    def _hear_words(self) -> HearWords:
        return HearWords(
            pipes=self.pipes,
            live_calls=self.live_calls,
            directory=self.directory,
            clock=self.clock,
            limits=self.limits,
            hand_over=self.hand_over,
            switch_language=self.switch_language,
        )

    @cached_property
    def _speak_sound(self) -> Speak:
        return Speak(
            pipes=self.pipes,
            live_calls=self.live_calls,
            directory=self.directory,
            text_to_speech=self.providers.text_to_speech,
            channels=self.channels,
            decoder_of=decoder_of,
            files=self.files,
            clock=self.clock,
            prepared=self.providers.prepared_sounds,
        )
