"""All of Vonage that our doors need, side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.adapters.vonage.leg_notes import KnownLegs
from shared.adapters.vonage.ncco import MediaSocket, Ncco, NccoWriter
from shared.adapters.vonage.own_links import OwnLinks
from shared.adapters.vonage.webhooks import VonageWebhooks
from shared.adapters.vonage.whispers import Whispers
from shared.domain.call import Agent
from shared.domain.telephony.text_turns import Next, TextReply


@dataclass(frozen=True, slots=True)
class VonageDesk:
    """`socket_token`: lets whom it names (a call) connect to our media socket at `socket_url`, soon."""

    webhooks: VonageWebhooks
    links: OwnLinks
    legs: KnownLegs
    whispers: Whispers
    socket_url: str
    socket_token: Callable[[str], Awaitable[str]]

    @property
    def writer(self) -> NccoWriter:
        return NccoWriter(self.links)

    async def connect(self, call_id: str, ticket: str, *, leg: str, own_number: str) -> Ncco:
        """The call's audio to our socket. Raises: MediaError."""
        socket = MediaSocket(self.socket_url, await self.socket_token(call_id), ticket)
        return self.writer.connect_socket(socket, leg=leg, own_number=own_number)

    async def reply(self, reply: TextReply, *, call_id: str, leg: str, own_number: str) -> Ncco:
        """The answer of a text line, and what comes after it. Raises: StoreError."""
        whisper_url = await self.whispers.keep(reply.transfer) if reply.next is Next.TRANSFER else ""
        return self.writer.reply(reply, call_id=call_id, leg=leg, own_number=own_number, whisper_url=whisper_url)

    def opening(self, agent: Agent, leg: str) -> Ncco:
        """What comes before the conversation: where Vonage is to record it, that is said first."""
        if not agent.manner.recording_consent:
            return []
        return [*self.writer.leave_message(agent.manner.recording_consent, agent.language), self.writer.record(leg)]
