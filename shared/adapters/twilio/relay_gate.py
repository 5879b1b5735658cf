"""Twilio's relay sockets (ConversationRelay), as they arrive through Web PubSub's hub for them."""

from __future__ import annotations

import logging

from shared.adapters.twilio import relay_codec
from shared.adapters.twilio.handshake import connect
from shared.adapters.twilio.relay_codec import Fault, Interrupt, Key, Prompt, RelayMessage, Setup
from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.domain.errors import Conflict, InvalidRequest, Unauthenticated
from shared.ports.media_gate import CONNECT, CONNECTED, DISCONNECTED, Reply, Upstream
from shared.use_cases.calls.move_media import MoveMedia
from shared.use_cases.texting.text_streams import TextStreams

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 64 * 1024


class TwilioRelayGate:
    """Fills the port `MediaGate`. A connection's state is its call id.

    A socket that closes does not end the call: Twilio asks us then what comes next, and says whether the caller is
    still there (`TwilioAddresses.resume`).
    """

    def __init__(self, webhooks: TwilioWebhooks, text_streams: TextStreams, move_media: MoveMedia) -> None:
        self._webhooks = webhooks
        self._text_streams = text_streams
        self._move_media = move_media

    async def pass_frame(self, upstream: Upstream) -> bool:
        return False

    async def handle(self, upstream: Upstream) -> Reply:
        match upstream.type:
            case t if t == CONNECT:
                return connect(self._webhooks, upstream.body)
            case t if t == CONNECTED:
                return Reply()
            case t if t == DISCONNECTED:
                if upstream.state:
                    await self._move_media.lost(upstream.state, upstream.connection_id)
                return Reply()
            case _:
                return await self._message(upstream)

    async def _message(self, upstream: Upstream) -> Reply:
        if len(upstream.body) > MAX_MESSAGE_BYTES:
            raise InvalidRequest("body_too_large", f"a message has at most {MAX_MESSAGE_BYTES} bytes")
        message = relay_codec.read(upstream.body)
        if isinstance(message, Setup):
            return await self._set_up(upstream, message)
        if not upstream.state:
            raise InvalidRequest("before_setup", "the relay has not been set up")
        await self._running(upstream, message)
        return Reply()

    async def _set_up(self, upstream: Upstream, setup: Setup) -> Reply:
        if upstream.state:
            raise Conflict("set_up_already", "the relay has been set up already")
        ticket = setup.parameters.get("ticket", "")
        if not ticket.isascii():
            raise Unauthenticated("ticket", "the relay bears no ticket")
        call_id = await self._text_streams.started(
            ticket,
            provider_call_id=setup.call_sid,
            hub=upstream.hub,
            connection_id=upstream.connection_id,
            stream_id=setup.session_id,
        )
        return Reply(state=call_id)

    async def _running(self, upstream: Upstream, message: RelayMessage) -> None:
        call_id, streams = upstream.state, self._text_streams
        event_id = f"{upstream.connection_id}:{upstream.event_id}"
        match message:
            case Prompt(text, language, is_last):
                if is_last and text.strip():
                    await streams.heard(call_id, text, language, event_id=event_id)
                else:
                    await streams.stirred(call_id, event_id=event_id)
            case Interrupt(heard):
                await streams.interrupted(call_id, heard, event_id=event_id)
            case Key(digit):
                await streams.key(call_id, digit, event_id=event_id)
            case Fault(description):
                logger.warning("call %s: the relay did not understand us: %r", call_id, description)
            case _:
                logger.debug("call %s: a message of the relay was passed over", call_id)
