"""What the triggers may ask for: each use case with the adapters that were picked for it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from functools import cached_property, lru_cache

from shared.adapters.postgres.model_usages import PostgresModelUsages
from shared.adapters.web.media_gate import WebMediaGate
from shared.adapters.web_pubsub.service import WebPubSubService
from shared.composition import doors
from shared.composition.after_calls import AfterCalls
from shared.composition.calling import Calling
from shared.composition.carriers import Carriers
from shared.composition.channels import Channels
from shared.composition.conversing import Conversing
from shared.composition.foundation import Foundation
from shared.composition.knowing import Knowing
from shared.composition.tooling import Tooling
from shared.composition.understanding import Understanding
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver
from shared.domain.prices import prices_of
from shared.ports.media_gate import MediaGate
from shared.ports.orchestrations import Orchestrations
from shared.settings import Settings
from shared.use_cases.agents.edit_agents import EditAgents
from shared.use_cases.by_line import ByLine
from shared.use_cases.calls.allow_transfer import AllowTransfer
from shared.use_cases.calls.answer_call import AnswerCall
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.calls.gateway import Gateway
from shared.use_cases.calls.keep_records import KeepRecords
from shared.use_cases.calls.look_up_calls import LookUpCalls
from shared.use_cases.calls.move_media import MoveMedia
from shared.use_cases.calls.note_progress import NoteProgress
from shared.use_cases.calls.note_transfer import NoteTransfer
from shared.use_cases.check_health import CheckHealth
from shared.use_cases.hearing.listen_along import ListenAlong
from shared.use_cases.hearing.read_overheard import ReadOverheard
from shared.use_cases.switch_language import SwitchLanguage
from shared.use_cases.texting.take_text_turn import TakeTextTurn
from shared.use_cases.texting.text_streams import TextStreams
from shared.use_cases.texting.transfer_orders import TransferOrders
from shared.use_cases.thinking.keep_usage import KeepUsage
from shared.use_cases.thinking.think import Think

logger = logging.getLogger(__name__)

_SOCKET_TOKEN_MINUTES = 2
"""A provider connects at once with what it is given."""


def _note_warm_up(warming: asyncio.Task[None]) -> None:
    if not warming.cancelled() and (error := warming.exception()) is not None:
        logger.warning("warming up failed: %s", type(error).__name__)


class Services(Foundation):
    """What the triggers may ask for. Each part is made when it is first used, and then kept."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._warming: asyncio.Task[None] | None = None

    def warm_up(self) -> None:
        """Begin, once a process, what the first answer would else wait for: slow imports, the detector's model.

        Called as soon as there is a call; a failure shows again, with its reason, where the part is used.
        """
        if self._warming is None:
            self._warming = asyncio.create_task(self._make_slow_parts(), name="warm-up")
            self._warming.add_done_callback(_note_warm_up)

    async def _make_slow_parts(self) -> None:
        """In the order in which a call needs them."""
        await asyncio.to_thread(self.detector.open)
        await asyncio.to_thread(self.providers.warm_up)
        await asyncio.gather(*(hub.warm_up() for hub in self.hubs.values()))

    @cached_property
    def answer_call(self) -> AnswerCall:
        return AnswerCall(
            self.storage.directory,
            self.storage.call_store,
            self.storage.live_calls,
            self.storage.pipes,
            self.clock,
            self.gateway,
        )

    @cached_property
    def agents(self) -> EditAgents:
        return EditAgents(self.storage.agent_versions, self.storage.agent_documents)

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(
            directory=self.storage.directory,
            memory=self.storage.short_memory,
            pipes=self.storage.pipes,
            files=self.storage.files,
            call_store=self.storage.call_store,
            look_up_calls=self.look_up_calls,
            clock=self.clock,
            is_set_up=bool(self.settings.connect_instance_arns),
        )

    @cached_property
    def attach_media(self) -> AttachMedia:
        return AttachMedia(self.storage.call_store, self.storage.live_calls, self.storage.pipes, self.clock)

    @cached_property
    def end_call(self) -> EndCall:
        return EndCall(
            self.storage.call_store,
            self.storage.live_calls,
            self.storage.pipes,
            self._channels,
            self.carriers.controls,
            self.clock,
        )

    @cached_property
    def _conversing(self) -> Conversing:
        return Conversing(
            pipes=self.storage.pipes,
            live_calls=self.storage.live_calls,
            directory=self.storage.directory,
            call_store=self.storage.call_store,
            channels=self._channels,
            files=self.storage.files,
            detector=lambda: self.detector,
            providers=self.providers,
            attach_media=self.attach_media,
            end_call=self.end_call,
            hand_over=self._hand_over,
            allow_transfer=self.allow_transfer,
            limits=self._limits,
            clock=self.clock,
            delegates=self.carriers.delegates,
            switch_language=self.switch_language,
            handed=self.gateway.handed,
            tools=lambda: self.tooling.tool_box,
            look_up=lambda: self.knowing.look_up,
            understand=lambda: self.understanding.understand,
            usages=self.model_usages,
            keep_usage=self.keep_usage,
        )

    @cached_property
    def switch_language(self) -> SwitchLanguage:
        return SwitchLanguage(
            live_calls=self.storage.live_calls,
            call_store=self.storage.call_store,
            directory=self.storage.directory,
            channels=self._channels,
            memory=self.storage.short_memory,
            translation=self.providers.translation if self.settings.sarvam_api_key else None,
            sounds=lambda: self.providers.prepared_sounds,
            clock=self.clock,
        )

    async def _hand_over(self, call_id: str, rule: HandOver) -> None:
        """Commands need the conversation's orders, so they are asked for when they are needed."""
        await self.calling.command_call.hand_over(call_id, rule)

    @property
    def hear(self) -> ByLine[[Orchestrations]]:
        return self._conversing.hear

    @property
    def think(self) -> Think:
        return self._conversing.think

    @property
    def speak(self) -> ByLine[[Callable[[], Awaitable[None]] | None]]:
        return self._conversing.speak

    @property
    def rescue(self) -> ByLine[[]]:
        return self._conversing.rescue

    @property
    def take_text_turn(self) -> TakeTextTurn:
        return self._conversing.take_text_turn

    @property
    def text_streams(self) -> TextStreams:
        return self._conversing.text_streams

    @property
    def transfer_orders(self) -> TransferOrders:
        return self._conversing.transfer_orders

    @cached_property
    def _limits(self) -> CallLimits:
        return CallLimits(longest_call_s=self.settings.longest_call_s)

    @cached_property
    def move_media(self) -> MoveMedia:
        return MoveMedia(self.storage.call_store, self.storage.live_calls, self.storage.directory, self.end_call)

    @cached_property
    def note_transfer(self) -> NoteTransfer:
        return NoteTransfer(
            self.storage.call_store,
            self.storage.live_calls,
            self.end_call,
            self.transfer_orders,
            self.allow_transfer,
        )

    @cached_property
    def allow_transfer(self) -> AllowTransfer:
        return AllowTransfer(self.storage.directory, self.storage.outbound_calls, self.clock)

    @cached_property
    def listen_along(self) -> ListenAlong:
        return ListenAlong(
            sound=self.carriers.live_sound,
            detector=self.detector,
            speech_to_text=self.providers.speech_to_text,
            pipes=self.storage.pipes,
            files=self.storage.files,
            clock=self.clock,
        )

    @cached_property
    def read_overheard(self) -> ReadOverheard:
        return ReadOverheard(self.look_up_calls, self.storage.pipes, self.storage.files)

    @cached_property
    def keep_records(self) -> KeepRecords:
        return KeepRecords(
            call_store=self.storage.call_store,
            live_calls=self.storage.live_calls,
            pipes=self.storage.pipes,
            files=self.storage.files,
            channels=self._channels,
            meter=self.turn_meter,
            clock=self.clock,
            remember=self.understanding.remember.keep,
        )

    @cached_property
    def calling(self) -> Calling:
        return Calling(
            pool=self.storage.pool,
            call_store=self.storage.call_store,
            live_calls=self.storage.live_calls,
            directory=self.storage.directory,
            controls=self.carriers.controls,
            end_call=self.end_call,
            order=self.transfer_orders.order,
            outbound_calls=self.storage.outbound_calls,
            allow_transfer=self.allow_transfer,
            channels=self._channels,
            limits=self._limits,
            clock=self.clock,
            files=self.storage.files,
            recording_sources=self.carriers.recording_sources,
            recording_registers=self.carriers.recording_registers,
            deletes_recordings=self.settings.provider_recordings_delete == "on",
        )

    @property
    def note_progress(self) -> NoteProgress:
        return self.calling.note_progress

    @cached_property
    def look_up_calls(self) -> LookUpCalls:
        return LookUpCalls(self.storage.call_store, self.storage.live_calls, self.storage.directory)

    @cached_property
    def check_health(self) -> CheckHealth:
        return CheckHealth(
            {
                "database": self.storage.call_store.ping,
                "redis": self.storage.live_calls.ping,
                "files": self.storage.files.ping,
                "web_pubsub": self._channels.ping,
                "identity": self.token_validator.ping,
                "speech": self.providers.speech_to_text.ping,
            }
        )

    @cached_property
    def hubs(self) -> dict[str, WebPubSubService]:
        """By name: that of our own clients, and a hub for each protocol that carriers' sockets speak."""
        names = (self.settings.web_pubsub_client_hub, *self.carriers.hubs)
        return {name: doors.hub(self.settings, name) for name in names}

    @cached_property
    def carriers(self) -> Carriers:
        return Carriers(
            self.settings,
            self.storage.pipes,
            self.attach_media,
            lambda: self.end_call,
            redis=self.storage.redis,
            clock=self.clock,
            socket_token=self._socket_token,
            move_media=lambda: self.move_media,
            text_streams=lambda: self.text_streams,
        )

    async def _socket_token(self, hub: str, user_id: str) -> str:
        return await self.hubs[hub].client_token(user_id, minutes=_SOCKET_TOKEN_MINUTES)

    @cached_property
    def media_gates(self) -> dict[str, MediaGate]:
        """Who handles a connection's events, by hub."""
        web = WebMediaGate(self.storage.pipes, self.attach_media, self.end_call)
        return {self.settings.web_pubsub_client_hub: web, **self.carriers.media_gates}

    @cached_property
    def after_call(self) -> AfterCalls:
        return AfterCalls(
            settings=self.settings,
            pool=self.storage.pool,
            call_store=self.storage.call_store,
            directory=self.storage.directory,
            files=self.storage.files,
            model=self.providers.language_model,
            web=self.web,
            clock=self.clock,
            note_usage=self.keep_usage.note,
        )

    @cached_property
    def model_usages(self) -> PostgresModelUsages:
        return PostgresModelUsages(self.storage.pool)

    @cached_property
    def keep_usage(self) -> KeepUsage:
        return KeepUsage(self.model_usages, prices_of(self.settings.model_prices), self.clock)

    @cached_property
    def tooling(self) -> Tooling:
        return Tooling(
            settings=self.settings,
            pool=self.storage.pool,
            web=self.web,
            memory=self.storage.short_memory,
            call_store=self.storage.call_store,
            numbers=self.calling.numbers,
            outbound_calls=self.storage.outbound_calls,
            short_messages=self.carriers.short_messages,
            transfer=self.calling.command_call.transfer,
            end_call=self.end_call,
            place_call=lambda: self.calling.place_call,
            clock=self.clock,
        )

    @cached_property
    def understanding(self) -> Understanding:
        return Understanding(
            settings=self.settings,
            pool=self.storage.pool,
            redis=self.storage.redis,
            call_store=self.storage.call_store,
            live_calls=self.storage.live_calls,
            directory=self.storage.directory,
            model=lambda: self.providers.language_model,
            clock=self.clock,
            keep_usage=self.keep_usage,
        )

    @cached_property
    def knowing(self) -> Knowing:
        return Knowing(
            self.settings,
            pool=self.storage.pool,
            files=self.storage.documents,
            wire=lambda: self.providers.all[0].wire,
        )

    @cached_property
    def _channels(self) -> Channels:
        return Channels(self.hubs, self.carriers.text_channels)


for _chatty in ("httpx", "httpx2", "azure.core.pipeline.policies.http_logging_policy"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)  # a line a request, addresses included


@lru_cache(maxsize=1)
def services() -> Services:
    """The process's services. Raises: InvalidRequest that names what is wrong with the settings."""
    return Services(Settings.from_environment(os.environ))
