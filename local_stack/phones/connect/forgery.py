"""Somebody else asks the app about a contact: none of it may be answered."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from local_stack.phones.connect.stage import Stage

_DOORS: Final = "/api/webhooks/connect/"
_NEWS: Final = "contact-event"
_REFUSED: Final = 401
_FOREIGN: Final = "arn:aws:connect:us-east-1:999999999999:instance/11111111-2222-4333-8444-555555555555"


async def forge_requests(stage: Stage) -> None:
    """Complains about each that is not refused."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        forger = _Forger(stage, session)
        await forger.try_unsigned()
        await forger.try_signed()


@dataclass(frozen=True)
class _Forger:
    stage: Stage
    session: aiohttp.ClientSession

    async def try_unsigned(self) -> None:
        body = _body(self.stage.contact.event({"op": "begin"}))
        wrong = {
            "X-Voice-Timestamp": str(int(time.time())),
            "X-Voice-Nonce": uuid.uuid4().hex,
            "X-Voice-Signature": "0" * 64,
        }
        old = wrong | {"X-Voice-Timestamp": "1600000000"}
        for what, headers in (("unsigned", {}), ("wrongly signed", wrong), ("old", old)):
            self._judge(what, await self._post("turn", body, headers))

    async def try_signed(self) -> None:
        """Somebody has overheard a request, or has an instance too."""
        news = self.stage.contact.contact_event("INITIATED", self.stage.line.now_ms())
        body = _body(news)
        signed = self._signed(body)
        await self._post(_NEWS, body, signed)
        self._judge("replayed", await self._post(_NEWS, body, signed))
        news["detail"]["instanceArn"] = _FOREIGN
        body = _body(news)
        self._judge("of a foreign instance", await self._post(_NEWS, body, self._signed(body)))

    def _judge(self, what: str, status: int) -> None:
        self.stage.log.add("misbehaved", what=what, status=status)
        if status != _REFUSED:
            self.stage.complain(f"a request that is {what} was answered with {status}")

    async def _post(self, door: str, body: bytes, headers: Mapping[str, str]) -> int:
        url = self.stage.app_url + _DOORS + door
        async with self.session.post(url, data=body, headers=headers) as response:
            return response.status

    def _signed(self, body: bytes) -> dict[str, str]:
        """As the function signs."""
        timestamp, nonce = str(int(time.time())), uuid.uuid4().hex
        signed = f"{timestamp}\n{nonce}\nPOST {_DOORS}{_NEWS}\n".encode() + body
        mac = hmac.new(self.stage.contact.account.webhook_secret.encode(), signed, hashlib.sha256).hexdigest()
        return {"X-Voice-Timestamp": timestamp, "X-Voice-Nonce": nonce, "X-Voice-Signature": mac}


def _body(event: Mapping[str, Any]) -> bytes:
    return json.dumps({"request_id": str(uuid.uuid4()), "remaining_ms": 5000, "event": event}).encode()
