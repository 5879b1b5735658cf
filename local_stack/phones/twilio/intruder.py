"""Somebody who opens a second media socket with the ticket of a call that is already running."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import aiohttp

from local_stack.phones import g711
from local_stack.phones.twilio.account import new_sid
from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.media_socket import MediaSocket
from local_stack.phones.twilio.messages import StreamWriter
from local_stack.phones.twilio.signature import Signer
from local_stack.phones.twilio.verbs import Stream

PATIENCE_S: Final = 5.0


async def reuse_ticket(context: CallContext, verb: Stream) -> None:
    """Starts a well signed stream with a used ticket."""
    writer = StreamWriter(context.options.account.sid, context.sid, new_sid("MZ"))
    await intrude(
        context, verb.url, [writer.connected(), writer.start(verb.parameters), writer.media(g711.SILENT_FRAME)]
    )


async def intrude(context: CallContext, url: str, texts: Sequence[str]) -> None:
    """Opens a well signed socket, sends these messages and tells in one event how it was received.

    `intruder_refused` (no socket), `intruder_closed` (with the close code) or `intruder_accepted`.
    """
    log = context.log
    try:
        socket = await MediaSocket.open(url, Signer.of(context.options.account))
    except CarrierFault as fault:
        log.add("intruder_refused", message=fault.message)
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            for text in texts:
                await socket.send(text)
            async for _message in socket.messages():
                pass
        log.add("intruder_closed", code=socket.close_code)
    except TimeoutError:
        log.add("intruder_accepted", after_s=PATIENCE_S)
    except (aiohttp.ClientError, OSError):
        log.add("intruder_closed", code=socket.close_code)
    finally:
        await socket.close()
