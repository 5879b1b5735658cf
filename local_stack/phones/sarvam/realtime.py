"""The realtime socket of Sarvam's voice agents: an app brings a caller's sound, and the agent hears, thinks, speaks.

Source: `conversation.py` and `messages/` of https://pypi.org/project/sarvam-conv-ai-sdk/1.1.1
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import Final

from aiohttp import web

from local_stack.phones.sarvam.account import Account
from local_stack.phones.sarvam.book import CallBook
from local_stack.phones.sarvam.rest import Refusal, check_key
from local_stack.phones.sarvam.socket_agent import SocketAgent

_SOCKET_PATH: Final = "/api/app-runtime/interactions/"
_MOST_LINKS: Final = 100
_RATES_HZ: Final = ("8000", "16000")


def add_routes(app: web.Application, book: CallBook) -> None:
    links: dict[str, str] = {}
    where = "/api/app-runtime/orgs/{org}/workspaces/{workspace}/apps/{app}/url"
    app.router.add_get(where, partial(_link, book.account, links))
    app.router.add_get(_SOCKET_PATH + "{token}", partial(_converse, book, links))


async def _link(account: Account, links: dict[str, str], request: web.Request) -> web.StreamResponse:
    """An address that opens one socket, once."""
    try:
        check_key(request, account)
        if request.match_info["app"] != account.app_id:
            raise Refusal(404, "Not Found")
        if request.query.get("interaction_type") != "call":
            raise Refusal(422, "only calls are served here")
    except Refusal as refusal:
        return refusal.response
    token, reference = secrets.token_urlsafe(24), secrets.token_hex(8)
    links[token] = reference
    for old in list(links)[: max(0, len(links) - _MOST_LINKS)]:
        del links[old]
    url = f"ws://{request.host}{_SOCKET_PATH}{token}?signature={secrets.token_hex(8)}"
    return web.json_response({"url": url, "reference_id": reference})


async def _converse(book: CallBook, links: dict[str, str], request: web.Request) -> web.StreamResponse:
    reference, query = links.pop(request.match_info["token"], None), request.query
    if reference is None or "signature" not in query:
        return web.json_response({"detail": "the link is used up"}, status=403)
    if query.get("sample_rate") not in _RATES_HZ or not query.get("user_identifier"):
        return web.json_response({"detail": "sample_rate and user_identifier are needed"}, status=422)
    socket = web.WebSocketResponse(compress=False, max_msg_size=2**20)
    await socket.prepare(request)
    agent = SocketAgent(socket, book.setup.speech, reference, int(query["sample_rate"]))
    await agent.run()
    return socket
