"""The part of composition that picks who carries calls: each provider's webhooks, sockets and commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from shared.adapters.twilio.call_control import TwilioCallControl
from shared.adapters.twilio.media_gate import TwilioMediaGate
from shared.adapters.twilio.webhooks import TwilioWebhook, TwilioWebhooks
from shared.domain.call import Provider
from shared.domain.errors import InvalidRequest
from shared.ports.call_control import CallControl
from shared.ports.media_gate import MediaGate
from shared.ports.pipes_and_frames import PipesAndFrames
from shared.settings import Settings
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.end_call import EndCall

__all__ = ["Carriers", "TwilioWebhook"]


class Carriers:
    """Each part is made when it is first used. A provider that is not set up has no gate and no control."""

    def __init__(
        self,
        settings: Settings,
        pipes: PipesAndFrames,
        attach_media: AttachMedia,
        end_call: Callable[[], EndCall],
    ) -> None:
        self._settings = settings
        self._pipes = pipes
        self._attach_media = attach_media
        self._end_call = end_call

    @property
    def hubs(self) -> tuple[str, ...]:
        """The hubs of Web PubSub at which carriers' sockets end."""
        return (self._settings.web_pubsub_carrier_hub,)

    @cached_property
    def media_gates(self) -> Mapping[str, MediaGate]:
        """Who handles the events of a hub's connections."""
        gates: dict[str, MediaGate] = {}
        if self._has_twilio:
            gates[self._settings.web_pubsub_carrier_hub] = TwilioMediaGate(
                self.twilio_webhooks, self._pipes, self._attach_media, self._end_call()
            )
        return gates

    @cached_property
    def controls(self) -> Mapping[Provider, CallControl]:
        """Who can be told what to do with a call."""
        return {Provider.TWILIO: self._twilio_control} if self._has_twilio else {}

    # Twilio

    @property
    def _has_twilio(self) -> bool:
        return bool(self._settings.twilio_account_sid and self._settings.twilio_auth_token)

    @cached_property
    def twilio_webhooks(self) -> TwilioWebhooks:
        """Raises: InvalidRequest where no Twilio account is set up."""
        settings = self._settings
        if not self._has_twilio:
            raise InvalidRequest("twilio_not_set_up", "no Twilio account is set up")
        return TwilioWebhooks(
            account_sid=settings.twilio_account_sid,
            auth_tokens=(settings.twilio_auth_token, settings.twilio_auth_token_previous),
            public_base_url=settings.public_base_url,
            media_socket_url=self._socket_url(settings.web_pubsub_carrier_hub),
        )

    @cached_property
    def _twilio_control(self) -> TwilioCallControl:
        settings = self._settings
        return TwilioCallControl(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            base_url=settings.twilio_api_base_url,
        )

    def _socket_url(self, hub: str) -> str:
        return f"{self._settings.web_pubsub_public_url.rstrip('/')}/client/hubs/{hub}"
