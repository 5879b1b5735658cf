"""The REST API of Sarvam's voice agents: outbound attempts, and what is known of interactions.

Source: https://docs.sarvam.ai/voice-agents/api/instant-outbound/create and, for analytics, the shapes that public
clients read
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from aiohttp import web

from local_stack.phones.lines import is_phone_number
from local_stack.phones.moods import Moods
from local_stack.phones.sarvam.account import Account
from local_stack.phones.sarvam.book import CallBook, Entry
from local_stack.phones.sarvam.misbehaviour import Misbehaviour
from local_stack.phones.sarvam.options import CallOptions, Direction
from local_stack.phones.sarvam.reports import turns_of

_WHERE: Final = "/orgs/{org}/workspaces/{workspace}"
_ANALYTICS: Final = "/api/analytics/v1/{org}/{workspace}/{app}"


class Refusal(Exception):
    """Ends a request with a status and `detail`."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(str(detail))
        self.response = web.json_response({"detail": detail}, status=status)


def add_routes(app: web.Application, book: CallBook) -> None:
    """`PUT /_local/sarvam/moods` sets how the next outbound attempts are answered."""
    moods, api = Moods(), _Api(book)

    async def attempt(request: web.Request) -> web.Response:
        try:
            check_key(request, book.account)
            return await moods.handle(request, api.create, _refused)
        except Refusal as refusal:
            return refusal.response

    app.router.add_put("/_local/sarvam/moods", moods.set)
    app.router.add_post(f"/api/outbounds/v1{_WHERE}/outbounds", attempt)
    app.router.add_get(f"{_ANALYTICS}/interactions", partial(_guarded, book.account, api.interactions))
    app.router.add_get(f"{_ANALYTICS}/transcripts/{{interaction}}", partial(_guarded, book.account, api.transcript))


def check_key(request: web.Request, account: Account) -> None:
    """Raises: Refusal."""
    if request.headers.get("X-API-Key") != account.api_key:
        raise Refusal(403, "Invalid API key")
    where = (request.match_info["org"], request.match_info["workspace"])
    if where != (account.org_id, account.workspace_id):
        raise Refusal(404, "Not Found")


async def _guarded(account: Account, handler: Any, request: web.Request) -> web.StreamResponse:
    try:
        check_key(request, account)
        response: web.StreamResponse = await handler(request)
        return response
    except Refusal as refusal:
        return refusal.response


def _refused(status: int) -> web.Response:
    return web.json_response({"detail": "this was ordered"}, status=status)


class _Api:
    def __init__(self, book: CallBook) -> None:
        self._book = book

    async def create(self, request: web.Request) -> web.Response:
        try:
            options = self._options(await request.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refusal(422, [{"loc": ["body"], "msg": str(error), "type": "value_error"}]) from None
        self._book.start(options)
        return web.json_response({"attempt_id": options.attempt_id})

    def _options(self, wish: Mapping[str, Any]) -> CallOptions:
        """Raises: ValueError, KeyError, TypeError, AttributeError for what is not as documented."""
        config, connection = wish["app_config"], wish["app_config"]["connection_config"]
        person_number, agent_number = wish["user_config"]["user_phone_number"], connection["agent_phone_number"]
        for number in (person_number, agent_number):
            if not isinstance(number, str) or not is_phone_number(number):
                raise ValueError("phone numbers are in E.164, with +")
        if config["app_type"] != "agent" or not connection["connection_id"]:
            raise ValueError("app_type is agent, and connection_id is needed")
        if config["app_id"] != self._book.account.app_id:
            raise ValueError("there is no such app")
        webhook = wish.get("webhook_config") or {}
        person, setup = self._book.person_at(person_number), self._book.setup
        return CallOptions(
            account=self._book.account,
            speech=setup.speech,
            app_url=setup.app_url,
            user_number=person_number,
            agent_number=agent_number,
            direction=Direction.OUTBOUND,
            attempt_id=f"{datetime.now(UTC):%Y%m%d}/{uuid.uuid4()}",
            app_version=int(config.get("app_version", 1)),
            agent_variables=dict(config.get("agent_variables") or {}),
            initial_bot_message=(config.get("app_overrides") or {}).get("initial_bot_message") or "",
            result_url=webhook.get("url", ""),
            metadata=dict(webhook.get("metadata") or {}),
            callee=person.callee,
            ring_ms=person.ring_ms,
            utterances=person.utterances,
            plan=person.plan,
            misbehaviours=frozenset(
                Misbehaviour(name) for name in person.misbehaviours if name in set(map(str, Misbehaviour))
            ),
            state_dir=setup.state_dir,
            people=setup.people,
        )

    async def interactions(self, request: web.Request) -> web.Response:
        """Newest first, begun within the window."""
        since, until = (_epoch_ms(request.query.get(name, "")) for name in ("start_datetime", "end_datetime"))
        offset, limit = (int(request.query.get(name, given)) for name, given in (("offset", "0"), ("limit", "50")))
        found = [
            _described(entry)
            for entry in self._book.entries
            if (since is None or entry.call.state.created_ms >= since)
            and (until is None or entry.call.state.created_ms <= until)
        ]
        return web.json_response({"items": found[offset : offset + limit], "total": len(found)})

    async def transcript(self, request: web.Request) -> web.Response:
        wanted = request.match_info["interaction"]
        for entry in self._book.entries:
            agent = entry.call.agent
            if entry.call.options.interaction_id == wanted and agent is not None:
                return web.json_response(
                    {"interaction_id": wanted, "interaction_transcript": turns_of(agent.transcript)}
                )
        raise Refusal(404, "Not Found")


def _described(entry: Entry) -> dict[str, Any]:
    options, state = entry.call.options, entry.call.state
    return {
        "interaction_id": options.interaction_id,
        "attempt_id": options.attempt_id or None,
        "user_phone_number": options.user_number,
        "agent_phone_number": options.agent_number,
        "agent_variables": dict(options.agent_variables),
        "status": state.status,
        "duration": state.duration_s,
    }


def _epoch_ms(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000
    except ValueError:
        return None
