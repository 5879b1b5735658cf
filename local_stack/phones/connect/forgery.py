"""Somebody else asks the app about a contact: none of it may be answered."""

from __future__ import annotations

import json
import time
import uuid
from typing import Final

import aiohttp

from local_stack.phones.connect.stage import Stage

_PATH: Final = "/api/webhooks/connect/turn"
_REFUSED: Final = 401


async def forge_requests(stage: Stage) -> None:
    """Complains about each that is not refused."""
    body = json.dumps({"request_id": "x", "remaining_ms": 5000, "event": stage.contact.event({"op": "begin"})})
    wrong = {
        "X-Voice-Timestamp": str(int(time.time())),
        "X-Voice-Nonce": uuid.uuid4().hex,
        "X-Voice-Signature": "0" * 64,
    }
    old = wrong | {"X-Voice-Timestamp": "1600000000"}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        for what, headers in (("unsigned", {}), ("wrongly signed", wrong), ("old", old)):
            async with session.post(stage.app_url + _PATH, data=body, headers=headers) as response:
                stage.log.add("misbehaved", what=what, status=response.status)
                if response.status != _REFUSED:
                    stage.complain(f"a request that is {what} was answered with {response.status}")
