"""`/Messages`: text messages, which are kept and delivered to nobody.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

import re
import time
from collections import deque
from typing import Any, Final

from aiohttp import web

from local_stack.phones.twilio.account import API_VERSION, new_sid
from local_stack.phones.twilio.forms import rfc_2822
from local_stack.phones.twilio.resources import RestError, not_found
from local_stack.phones.twilio.rest_access import Door, form_of, page

_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST: Final = 1600
_KEPT: Final = 1000
_PART: Final = 153


class MessagesApi:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._sent: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def add_routes(self, app: web.Application, path: str) -> None:
        guarded = self._door.guarded
        app.router.add_post(f"{path}.json", guarded(self.create))
        app.router.add_get(f"{path}.json", guarded(self.listed))
        app.router.add_get(f"{path}/{{sid}}.json", guarded(self.get))

    async def create(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
        if not to:
            raise RestError(400, 21604, "A 'To' phone number is required.")
        if not _NUMBER.fullmatch(to):
            raise RestError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender:
            raise RestError(400, 21603, "A 'From' phone number is required.")
        if not _NUMBER.fullmatch(sender):
            raise RestError(400, 21212, f"Invalid From Number: {sender}")
        if not body:
            raise RestError(400, 21602, "Message body is required.")
        if len(body) > _LONGEST:
            raise RestError(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        account, sid, now = self._door.account_of(request).sid, new_sid("SM"), rfc_2822(time.time() * 1000)
        message = {
            "sid": sid,
            "account_sid": account,
            "api_version": API_VERSION,
            "to": to,
            "from": sender,
            "body": body,
            "status": "queued",
            "direction": "outbound-api",
            "num_segments": str(-(-len(body) // _PART)),
            "num_media": "0",
            "date_created": now,
            "date_updated": now,
            "date_sent": None,
            "error_code": None,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "uri": f"/{API_VERSION}/Accounts/{account}/Messages/{sid}.json",
        }
        self._sent.append(message)
        return web.json_response(message, status=201)

    async def listed(self, request: web.Request) -> web.Response:
        """Newest first. Query: To, From."""
        wanted = {"to": request.query.get("To"), "from": request.query.get("From")}
        found = [
            message
            for message in reversed(self._of(request))
            if all(value is None or message[name] == value for name, value in wanted.items())
        ]
        return page(request, "messages", [dict(message) for message in found])

    async def get(self, request: web.Request) -> web.Response:
        sid = request.match_info["sid"]
        for message in self._of(request):
            if message["sid"] == sid:
                return web.json_response(message)
        raise not_found(request.path)

    def _of(self, request: web.Request) -> list[dict[str, Any]]:
        """Those of the account; some time after they were taken they are delivered."""
        account = self._door.account_of(request).sid
        return [message | {"status": "delivered"} for message in self._sent if message["account_sid"] == account]
