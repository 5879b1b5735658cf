"""The part of composition that picks how sound and words go to a caller, and what the caller's sound is packed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.adapters.twilio.media_channel import TwilioMediaChannel
from shared.adapters.twilio.media_codec import TwilioFrameDecoder
from shared.adapters.vonage.media_channel import VonageMediaChannel
from shared.adapters.vonage.media_codec import VonageFrameDecoder
from shared.adapters.web.media import WebFrameDecoder, WebMediaChannel
from shared.adapters.web_pubsub.service import WebPubSubConnection, WebPubSubService
from shared.domain.call import Provider
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.lines import Line
from shared.ports.connection import Connection
from shared.ports.live_calls import LiveCall
from shared.ports.media_channel import MediaChannel
from shared.ports.media_codec import FrameDecoder
from shared.ports.text_channel import TextChannel


class Channels:
    """Fills the ports `MediaChannels` and `TextChannels`: the way back for each provider."""

    def __init__(
        self, hubs: dict[str, WebPubSubService], text_channels: Mapping[Line, Callable[[Connection], TextChannel]]
    ) -> None:
        self._hubs = hubs
        self._text_channels = text_channels

    def open(self, provider: str, hub: str, connection_id: str, stream_id: str) -> MediaChannel:
        connection = WebPubSubConnection(self._hubs[hub], connection_id)
        if provider == Provider.TWILIO:
            return TwilioMediaChannel(connection, stream_id)
        if provider == Provider.VONAGE:
            return VonageMediaChannel(connection)
        return WebMediaChannel(connection)

    def open_text(self, live: LiveCall) -> TextChannel:
        open_channel = self._text_channels.get(live.line)
        if open_channel is None:
            raise InvalidRequest("no_text_channel", f"{live.line} carries no words over a socket")
        return open_channel(WebPubSubConnection(self._hubs[live.hub], live.connection_id))

    async def ping(self) -> None:
        for hub in self._hubs.values():
            await hub.ping()


def decoder_of(live: LiveCall, from_ms: int) -> FrameDecoder:
    match live.provider:
        case Provider.TWILIO:
            return TwilioFrameDecoder(from_ms)
        case Provider.VONAGE:
            return VonageFrameDecoder(from_ms)
        case _:
            return WebFrameDecoder(from_ms)
