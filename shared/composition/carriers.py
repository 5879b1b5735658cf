"""The part of composition that picks who carries calls: each provider's webhooks, sockets and commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from shared.adapters.redis.connection import RedisConnection
from shared.adapters.redis.once import RedisOnce
from shared.adapters.redis.short_memory import RedisShortMemory
from shared.adapters.sarvam.agent_socket import SamvaadDelegates
from shared.adapters.sarvam.agents_api import AgentsApi, Workspace
from shared.adapters.sarvam.call_control import OutboundAgent, SamvaadCallControl
from shared.adapters.sarvam.desk import SarvamDesk
from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts, shared_keys, subaccounts
from shared.adapters.twilio.addresses import TwilioAddresses
from shared.adapters.twilio.call_control import TwilioCallControl
from shared.adapters.twilio.desk import TwilioDesk
from shared.adapters.twilio.events import TwilioWebhook
from shared.adapters.twilio.media_gate import TwilioMediaGate
from shared.adapters.twilio.recordings import TwilioRecordings
from shared.adapters.twilio.relay_gate import TwilioRelayGate
from shared.adapters.twilio.rest import TwilioRest
from shared.adapters.twilio.sms import TwilioShortMessages
from shared.adapters.twilio.text_channel import TwilioTextChannel
from shared.adapters.twilio.twiml import TwilioDocuments
from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.adapters.vonage.call_control import VonageCallControl
from shared.adapters.vonage.desk import VonageDesk
from shared.adapters.vonage.leg_notes import KnownLegs
from shared.adapters.vonage.media_gate import VonageMediaGate
from shared.adapters.vonage.own_links import OwnLinks
from shared.adapters.vonage.recordings import VonageRecordings
from shared.adapters.vonage.rest import VonageApi
from shared.adapters.vonage.signature import SigningAccounts
from shared.adapters.vonage.webhooks import VonageRequest, VonageWebhooks
from shared.adapters.vonage.whispers import Whispers
from shared.domain.call import Provider
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.lines import Line
from shared.ports.call_control import CallControl
from shared.ports.clock import Clock
from shared.ports.connection import Connection
from shared.ports.live_sound import LiveSound
from shared.ports.media_gate import MediaGate
from shared.ports.pipes_and_frames import PipesAndFrames
from shared.ports.recording_source import RecordingRegister, RecordingSource
from shared.ports.text_channel import TextChannel
from shared.settings import Settings
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.calls.move_media import MoveMedia
from shared.use_cases.texting.text_streams import TextStreams

if TYPE_CHECKING:
    from shared.adapters.connect.account import ConnectAccount
    from shared.adapters.connect.desk import ConnectDesk
    from shared.adapters.connect.flow_events import FlowRequest as FlowRequest  # noqa: PLC0414 - for annotations

__all__ = ["Carriers", "TwilioWebhook", "VonageRequest"]


SocketTokens = Callable[[str, str], Awaitable[str]]
"""A token for one client of a hub (first argument), who is the second one; good for minutes."""


class Carriers:
    """Each part is made when it is first used. A provider that is not set up has no gate and no control."""

    def __init__(
        self,
        settings: Settings,
        pipes: PipesAndFrames,
        attach_media: AttachMedia,
        end_call: Callable[[], EndCall],
        *,
        redis: RedisConnection,
        clock: Clock,
        socket_token: SocketTokens,
        move_media: Callable[[], MoveMedia],
        text_streams: Callable[[], TextStreams],
    ) -> None:
        self._settings = settings
        self._pipes = pipes
        self._attach_media = attach_media
        self._end_call = end_call
        self._redis = redis
        self._clock = clock
        self._socket_token = socket_token
        self._move_media = move_media
        self._text_streams = text_streams

    @property
    def hubs(self) -> tuple[str, ...]:
        """The hubs of Web PubSub at which carriers' sockets end."""
        vonage = (self._settings.web_pubsub_vonage_hub,) if self._has_vonage else ()
        return (self._settings.web_pubsub_carrier_hub, self._settings.web_pubsub_relay_hub, *vonage)

    @cached_property
    def media_gates(self) -> Mapping[str, MediaGate]:
        """Who handles the events of a hub's connections."""
        gates: dict[str, MediaGate] = {}
        if self._has_twilio:
            gates |= self._twilio_gates
        if self._has_vonage:
            gates[self._settings.web_pubsub_vonage_hub] = VonageMediaGate(
                self._pipes, self._attach_media, self._move_media()
            )
        return gates

    @cached_property
    def text_channels(self) -> Mapping[Line, Callable[[Connection], TextChannel]]:
        """Who speaks words over a socket, by line."""
        return {Line.TWILIO_RELAY: TwilioTextChannel}

    @cached_property
    def controls(self) -> Mapping[Provider, CallControl]:
        """Who can be told what to do with a call."""
        controls: dict[Provider, CallControl] = {}
        if self._has_twilio:
            controls[Provider.TWILIO] = self._twilio_control
        if self._has_vonage:
            controls[Provider.VONAGE] = self._vonage_control
        if self._has_connect_api:
            controls[Provider.CONNECT] = self._connect_account.control
        if self._has_samvaad_api:
            controls[Provider.SARVAM] = self._samvaad_control
        return controls

    @cached_property
    def recording_sources(self) -> Mapping[Provider, RecordingSource]:
        """Who has recordings of calls that can be fetched."""
        sources: dict[Provider, RecordingSource] = {}
        if self._has_twilio:
            sources[Provider.TWILIO] = TwilioRecordings(self._twilio_rest)
        if self._has_vonage:
            sources[Provider.VONAGE] = VonageRecordings(self._vonage_api)
        return sources

    @property
    def short_messages(self) -> TwilioShortMessages | None:
        """None where nobody could send one."""
        return TwilioShortMessages(self._twilio_rest) if self._has_twilio else None

    @cached_property
    def recording_registers(self) -> Mapping[Provider, RecordingRegister]:
        """Who has recordings put into a store of our customer's."""
        return {Provider.CONNECT: self._connect_account.control} if self._has_connect_api else {}

    # Twilio

    @property
    def _has_twilio(self) -> bool:
        return bool(self._settings.twilio_account_sid and self._settings.twilio_auth_token)

    @cached_property
    def twilio(self) -> TwilioDesk:
        """Raises: InvalidRequest where no Twilio account is set up."""
        if not self._has_twilio:
            raise InvalidRequest("twilio_not_set_up", "no Twilio account is set up")
        addresses = self._twilio_addresses
        webhooks = TwilioWebhooks(
            accounts=self._twilio_accounts,
            public_base_url=self._settings.public_base_url,
            socket_urls=(addresses.media_socket, addresses.relay_socket),
        )
        return TwilioDesk(webhooks, TwilioDocuments(addresses), self._twilio_control, RedisOnce(self._redis))

    @cached_property
    def _twilio_gates(self) -> dict[str, MediaGate]:
        webhooks, move_media = self.twilio.webhooks, self._move_media()
        return {
            self._settings.web_pubsub_carrier_hub: TwilioMediaGate(
                webhooks, self._pipes, self._attach_media, move_media
            ),
            self._settings.web_pubsub_relay_hub: TwilioRelayGate(webhooks, self._text_streams(), move_media),
        }

    @cached_property
    def _twilio_accounts(self) -> TwilioAccounts:
        settings = self._settings
        tokens = (settings.twilio_auth_token, settings.twilio_auth_token_previous)
        keys = shared_keys(settings.twilio_shared_keys)
        account = TwilioAccount(settings.twilio_account_sid, tokens, keys)
        return TwilioAccounts(account, *subaccounts(settings.twilio_subaccounts))

    @cached_property
    def _twilio_addresses(self) -> TwilioAddresses:
        settings = self._settings
        return TwilioAddresses(
            settings.public_base_url,
            self._socket_url(settings.web_pubsub_carrier_hub),
            self._socket_url(settings.web_pubsub_relay_hub),
        )

    @cached_property
    def _twilio_rest(self) -> TwilioRest:
        return TwilioRest(self._twilio_accounts, self._settings.twilio_api_base_url)

    @cached_property
    def _twilio_control(self) -> TwilioCallControl:
        return TwilioCallControl(
            self._twilio_rest,
            self._twilio_addresses,
            now_ms=self._clock.now_ms,
            errand=lambda sid: self._move_media().errand(Provider.TWILIO, sid),
        )

    # Vonage

    @property
    def _has_vonage(self) -> bool:
        return bool(self._settings.vonage_api_key and self._settings.vonage_signature_secret)

    @cached_property
    def vonage(self) -> VonageDesk:
        """Raises: InvalidRequest where no Vonage account is set up."""
        settings = self._settings
        if not self._has_vonage:
            raise InvalidRequest("vonage_not_set_up", "no Vonage account is set up")
        secrets = (settings.vonage_signature_secret, settings.vonage_signature_secret_previous)
        accounts = SigningAccounts({settings.vonage_api_key: secrets}, settings.vonage_application_id)
        hub = settings.web_pubsub_vonage_hub
        return VonageDesk(
            VonageWebhooks(accounts, RedisOnce(self._redis), self._clock),
            self._vonage_links,
            self._vonage_legs,
            self._vonage_whispers,
            self._socket_url(hub),
            lambda call_id: self._socket_token(hub, call_id),
        )

    @cached_property
    def _vonage_links(self) -> OwnLinks:
        return OwnLinks(self._settings.public_base_url, self._settings.vonage_signature_secret)

    @cached_property
    def _vonage_legs(self) -> KnownLegs:
        return KnownLegs(RedisShortMemory(self._redis))

    @cached_property
    def _vonage_whispers(self) -> Whispers:
        return Whispers(RedisShortMemory(self._redis), self._vonage_links, self._clock)

    @cached_property
    def _vonage_api(self) -> VonageApi:
        settings = self._settings
        return VonageApi(
            application_id=settings.vonage_application_id,
            private_key=settings.vonage_private_key,
            base_url=settings.vonage_api_base_url,
        )

    @cached_property
    def _vonage_control(self) -> VonageCallControl:
        return VonageCallControl(self._vonage_api, self._vonage_legs, self._vonage_links, self._vonage_whispers)

    # Amazon Connect

    @property
    def _has_connect(self) -> bool:
        return bool(self._settings.connect_instance_arns and self._settings.connect_webhook_secret)

    @property
    def _has_connect_api(self) -> bool:
        return bool(self._has_connect and self._settings.connect_access_key_id)

    @property
    def connect(self) -> ConnectDesk:
        """Raises: InvalidRequest where no instance of Amazon Connect is set up."""
        if not self._has_connect:
            raise InvalidRequest("connect_not_set_up", "no instance of Amazon Connect is set up")
        return self._connect_account.desk

    @property
    def live_sound(self) -> LiveSound | None:
        """Where calls can be listened to that we cannot speak into; None where that is not wanted."""
        is_wanted = self._has_connect_api and self._settings.connect_listening == "on"
        return self._connect_account.live_sound if is_wanted else None

    @cached_property
    def _connect_account(self) -> ConnectAccount:
        from shared.adapters.connect.account import ConnectAccount  # noqa: PLC0415 - who has none need not wait for it

        settings = self._settings
        return ConnectAccount(
            instance_arns=settings.connect_instance_arns,
            secrets=(settings.connect_webhook_secret, settings.connect_webhook_secret_previous),
            keys=(settings.connect_access_key_id, settings.connect_secret_access_key),
            flow_id=settings.connect_flow_id,
            base_url=settings.connect_api_base_url,
            once=RedisOnce(self._redis),
            clock=self._clock,
        )

    # Sarvam's voice agents

    @property
    def _has_samvaad_api(self) -> bool:
        settings = self._settings
        return bool(settings.samvaad_api_key and settings.samvaad_org_id and settings.samvaad_workspace_id)

    @cached_property
    def sarvam(self) -> SarvamDesk:
        """Raises: InvalidRequest where no voice agents of Sarvam's are set up."""
        settings = self._settings
        if not settings.samvaad_webhook_secret:
            raise InvalidRequest("samvaad_not_set_up", "no voice agents of Sarvam's are set up")
        secrets = (settings.samvaad_webhook_secret, settings.samvaad_webhook_secret_previous)
        signing_secrets = (settings.samvaad_signing_secret, settings.samvaad_signing_secret_previous)
        return SarvamDesk(secrets, RedisShortMemory(self._redis), self._clock, signing_secrets)

    @cached_property
    def _samvaad_control(self) -> SamvaadCallControl:
        settings = self._settings
        version = settings.samvaad_app_version
        agent = OutboundAgent(
            app_id=settings.samvaad_app_id,
            app_version=int(version) if version.isdecimal() else None,
            connection_id=settings.samvaad_connection_id,
            result_url=f"{settings.public_base_url}/api/webhooks/sarvam/result",
            secret=settings.samvaad_webhook_secret,
        )
        return SamvaadCallControl(AgentsApi(self._samvaad_workspace), agent, self._clock.now)

    @cached_property
    def delegates(self) -> SamvaadDelegates | None:
        """Whose agents may lead a call; None where nobody's are set up."""
        return SamvaadDelegates(AgentsApi(self._samvaad_workspace)) if self._has_samvaad_api else None

    @property
    def _samvaad_workspace(self) -> Workspace:
        settings = self._settings
        return Workspace(
            settings.samvaad_org_id,
            settings.samvaad_workspace_id,
            settings.samvaad_api_key,
            settings.samvaad_base_url,
        )

    def _socket_url(self, hub: str) -> str:
        return f"{self._settings.web_pubsub_public_url.rstrip('/')}/client/hubs/{hub}"
