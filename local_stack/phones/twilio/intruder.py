"""Somebody who opens a second media socket with the ticket of a call that is already running."""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp

from local_stack.phones import g711
from local_stack.phones.twilio import twiml
from local_stack.phones.twilio.account import new_sid
from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.media_socket import MediaSocket
from local_stack.phones.twilio.messages import StreamWriter

PATIENCE_S: Final = 5.0


async def reuse_ticket(context: CallContext, verb: twiml.Stream) -> None:
    """Starts a well signed stream with a used ticket and tells in one event how it was received.

    `intruder_refused` (no socket), `intruder_closed` (with the close code) or `intruder_accepted`.
    """
    account, log = context.options.account, context.log
    try:
        socket = await MediaSocket.open(verb.url, account.auth_token)
    except CarrierFault as fault:
        log.add("intruder_refused", message=fault.message)
        return
    writer = StreamWriter(account.sid, context.sid, new_sid("MZ"))
    try:
        async with asyncio.timeout(PATIENCE_S):
            for text in (writer.connected(), writer.start(verb.parameters), writer.media(g711.SILENT_FRAME)):
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
