"""The only place that picks adapters: builds each use case on first need; nothing connects here."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from shared.adapters.azure_blob.address import BlobAddress
from shared.adapters.azure_blob.file_store import AzureBlobFileStore
from shared.adapters.azure_blob.sound_cache import BlobSoundCache
from shared.adapters.oidc.profile import b2c_profile, external_id_profile, upstream_profile
from shared.adapters.oidc.token_validator import OidcTokenValidator
from shared.adapters.opentelemetry.destinations import Destinations
from shared.adapters.opentelemetry.turn_meter import OpenTelemetryTurnMeter
from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.directory import PostgresDirectory
from shared.adapters.postgres.entra import EntraPassword
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.redis.circuit_breakers import RedisCircuitBreakers
from shared.adapters.redis.connection import RedisConnection, connect
from shared.adapters.redis.live_calls import RedisLiveCalls
from shared.adapters.redis.once import RedisOnce
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.pipes import RedisPipes
from shared.adapters.redis.short_memory import RedisShortMemory
from shared.adapters.redis.sound_cache import RedisSoundCache
from shared.adapters.redis.stream_reader import BLOCK_S, StreamReader
from shared.adapters.silero.voice_activity import SileroVoiceActivityDetector
from shared.adapters.system_clock.clock import SystemClock
from shared.adapters.web.media_gate import WebMediaGate
from shared.adapters.web_pubsub.service import WebPubSubService
from shared.calling import Calling
from shared.carriers import Carriers, TwilioWebhook, VonageRequest
from shared.channels import Channels
from shared.conversing import Conversing
from shared.domain.limits import CallLimits
from shared.domain.manner import HandOver
from shared.ports.media_gate import MediaGate
from shared.ports.orchestrations import Orchestrations
from shared.providers import Providers
from shared.settings import Settings
from shared.use_cases.by_line import ByLine
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
from shared.use_cases.texting.take_text_turn import TakeTextTurn
from shared.use_cases.texting.text_streams import TextStreams
from shared.use_cases.texting.transfer_orders import TransferOrders
from shared.use_cases.thinking.think import Think

__all__ = ["Services", "TwilioWebhook", "VonageRequest", "services"]

logger = logging.getLogger(__name__)

_SOCKET_TOKEN_MINUTES = 2
"""A provider connects at once with what it is given."""


def _note_warm_up(warming: asyncio.Task[None]) -> None:
    if not warming.cancelled() and (error := warming.exception()) is not None:
        logger.warning("warming up failed: %s", type(error).__name__)


class Services:
    """What the triggers may ask for. Each part is made when it is first used, and then kept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
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
        await asyncio.to_thread(self._detector.open)
        await asyncio.to_thread(self.providers.warm_up)
        await asyncio.gather(*(hub.warm_up() for hub in self.hubs.values()))

    @cached_property
    def answer_call(self) -> AnswerCall:
        gateway = self.gateway if self.settings.connect_instance_arns else None
        return AnswerCall(self._directory, self._call_store, self._live_calls, self.pipes, self.clock, gateway)

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(self._directory, RedisShortMemory(self._redis), RedisOnce(self._redis), self.clock)

    @cached_property
    def attach_media(self) -> AttachMedia:
        return AttachMedia(self._call_store, self._live_calls, self.pipes, self.clock)

    @cached_property
    def end_call(self) -> EndCall:
        return EndCall(
            self._call_store, self._live_calls, self.pipes, self._channels, self.carriers.controls, self.clock
        )

    @cached_property
    def _conversing(self) -> Conversing:
        return Conversing(
            pipes=self.pipes,
            live_calls=self._live_calls,
            directory=self._directory,
            call_store=self._call_store,
            channels=self._channels,
            files=self._files,
            detector=lambda: self._detector,
            providers=self.providers,
            attach_media=self.attach_media,
            end_call=self.end_call,
            hand_over=self._hand_over,
            limits=self._limits,
            clock=self.clock,
            delegates=self.carriers.delegates,
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
        return MoveMedia(self._call_store, self._live_calls, self._directory, self.end_call)

    @cached_property
    def note_transfer(self) -> NoteTransfer:
        return NoteTransfer(self._call_store, self._live_calls, self.end_call, self.transfer_orders)

    @cached_property
    def listen_along(self) -> ListenAlong:
        return ListenAlong(
            sound=self.carriers.live_sound,
            detector=self._detector,
            speech_to_text=self.providers.speech_to_text,
            pipes=self.pipes,
            files=self._files,
            clock=self.clock,
        )

    @cached_property
    def keep_records(self) -> KeepRecords:
        return KeepRecords(
            call_store=self._call_store,
            live_calls=self._live_calls,
            pipes=self.pipes,
            files=self._files,
            channels=self._channels,
            meter=self._turn_meter,
            clock=self.clock,
        )

    @cached_property
    def calling(self) -> Calling:
        return Calling(
            pool=self._pool,
            call_store=self._call_store,
            live_calls=self._live_calls,
            directory=self._directory,
            controls=self.carriers.controls,
            end_call=self.end_call,
            order=self.transfer_orders.order,
            limits=self._limits,
            clock=self.clock,
            files=self._files,
        )

    @property
    def note_progress(self) -> NoteProgress:
        return self.calling.note_progress

    @cached_property
    def look_up_calls(self) -> LookUpCalls:
        return LookUpCalls(self._call_store, self._live_calls)

    @cached_property
    def check_health(self) -> CheckHealth:
        return CheckHealth(
            {
                "database": self._call_store.ping,
                "redis": self._live_calls.ping,
                "files": self._files.ping,
                "web_pubsub": self._channels.ping,
                "identity": self.token_validator.ping,
                "speech": self.providers.speech_to_text.ping,
            }
        )

    @cached_property
    def token_validator(self) -> OidcTokenValidator:
        settings = self.settings
        urls = [url.strip() for url in settings.auth_metadata_url.split(",")]
        if settings.auth_profile == "b2c":
            return OidcTokenValidator(b2c_profile(urls, settings.auth_audience))
        return OidcTokenValidator(external_id_profile(urls[0], settings.auth_audience))

    @cached_property
    def upstream_validator(self) -> OidcTokenValidator:
        """Checks the token that Web PubSub's managed identity brings with each event."""
        settings = self.settings
        return OidcTokenValidator(
            upstream_profile(
                settings.web_pubsub_upstream_issuer,
                settings.web_pubsub_upstream_audience,
                settings.web_pubsub_upstream_client_id,
            ),
            cache_entries=256,
        )

    @cached_property
    def carriers(self) -> Carriers:
        return Carriers(
            self.settings,
            self.pipes,
            self.attach_media,
            lambda: self.end_call,
            redis=self._redis,
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
        web = WebMediaGate(self.pipes, self.attach_media, self.end_call)
        return {self.settings.web_pubsub_client_hub: web, **self.carriers.media_gates}

    @cached_property
    def web_pubsub_origins(self) -> frozenset[str]:
        """The hosts that may announce events to us."""
        settings = self.settings
        endpoint = settings.web_pubsub_endpoint or dict(
            part.split("=", 1) for part in settings.web_pubsub_connection_string.split(";") if "=" in part
        ).get("Endpoint", "")
        hosts = {urlsplit(url).hostname for url in (endpoint, settings.web_pubsub_public_url)}
        return frozenset(host for host in hosts if host)

    @cached_property
    def hubs(self) -> dict[str, WebPubSubService]:
        settings = self.settings
        return {
            name: WebPubSubService(
                name,
                connection_string=settings.web_pubsub_connection_string,
                endpoint=settings.web_pubsub_endpoint,
                client_id=settings.azure_client_id,
            )
            for name in (settings.web_pubsub_client_hub, *self.carriers.hubs)
        }

    @cached_property
    def pipes(self) -> RedisPipes:
        rest = StreamReader(self._connect_redis(BLOCK_S), self._redis)
        frames = StreamReader(self._connect_redis(BLOCK_S), self._redis, pace=Pace())
        return RedisPipes(self._redis, rest, frames)

    @cached_property
    def providers(self) -> Providers:
        return Providers(
            self.settings,
            breakers=RedisCircuitBreakers(self._redis),
            shared_sounds=RedisSoundCache(self._redis),
            lasting_sounds=BlobSoundCache(AzureBlobFileStore(self._blob_address(self.settings.sounds_container))),
            live_calls=self._live_calls,
        )

    @cached_property
    def _turn_meter(self) -> OpenTelemetryTurnMeter:
        settings = self.settings
        return OpenTelemetryTurnMeter(
            Destinations(
                otlp_endpoint=settings.otel_exporter_otlp_endpoint,
                azure_monitor=settings.applicationinsights_connection_string,
            )
        )

    @cached_property
    def _detector(self) -> SileroVoiceActivityDetector:
        return SileroVoiceActivityDetector()

    @cached_property
    def _channels(self) -> Channels:
        return Channels(self.hubs, self.carriers.text_channels)

    @cached_property
    def _files(self) -> AzureBlobFileStore:
        return AzureBlobFileStore(self._blob_address(self.settings.recordings_container))

    def _blob_address(self, container: str) -> BlobAddress:
        settings = self.settings
        return BlobAddress(
            container,
            connection_string=settings.blob_connection_string or None,
            account_url=settings.blob_account_url or None,
            client_id=settings.azure_client_id or None,
        )

    @cached_property
    def _pool(self) -> PostgresPool:
        settings = self.settings
        entra = settings.database_auth == "entra"
        return PostgresPool(
            settings.database_url,
            max_connections=settings.database_connections,
            password=EntraPassword(client_id=settings.azure_client_id or None) if entra else None,
        )

    @cached_property
    def _call_store(self) -> PostgresCallStore:
        return PostgresCallStore(self._pool)

    @cached_property
    def _directory(self) -> PostgresDirectory:
        return PostgresDirectory(self._pool)

    @cached_property
    def _live_calls(self) -> RedisLiveCalls:
        return RedisLiveCalls(self._redis)

    @cached_property
    def _redis(self) -> RedisConnection:
        return self._connect_redis(0.0)

    def _connect_redis(self, block_s: float) -> RedisConnection:
        settings = self.settings
        return connect(
            settings.redis_url,
            entra=settings.redis_auth == "entra",
            client_id=settings.azure_client_id or None,
            block_s=block_s,
        )


for _chatty in ("httpx", "httpx2", "azure.core.pipeline.policies.http_logging_policy"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)  # a line a request, addresses included


@lru_cache(maxsize=1)
def services() -> Services:
    """The process's services. Raises: InvalidRequest that names what is wrong with the settings."""
    return Services(Settings.from_environment(os.environ))
