"""The part of the carrier's REST API that a voice agent needs.

Source: https://www.twilio.com/docs/voice/api
"""

from __future__ import annotations

from aiohttp import web

from local_stack.phones.twilio.account import API_VERSION
from local_stack.phones.twilio.call_book import CallBook
from local_stack.phones.twilio.resources import not_found
from local_stack.phones.twilio.rest_access import Door
from local_stack.phones.twilio.rest_accounts import AccountsApi
from local_stack.phones.twilio.rest_calls import CallsApi
from local_stack.phones.twilio.rest_messages import MessagesApi
from local_stack.phones.twilio.rest_recordings import RecordingsApi
from local_stack.phones.twilio.rest_rooms import RoomsApi


def add_routes(app: web.Application, book: CallBook) -> None:
    """Adds `/2010-04-01/…`; whatever goes wrong there is answered in the carrier's own JSON.

    `PUT /_local/twilio/moods` says how the next requests fare (`moods.MOODS`).
    """
    door = Door(book)
    app.router.add_put("/_local/twilio/moods", door.moods.set)
    account = f"/{API_VERSION}/Accounts/{{account}}"
    AccountsApi(door).add_routes(app, f"/{API_VERSION}/Accounts")
    CallsApi(door).add_routes(app, f"{account}/Calls")
    MessagesApi(door).add_routes(app, f"{account}/Messages")
    RecordingsApi(door).add_routes(app, account)
    RoomsApi(door).add_routes(app, f"{account}/Conferences")

    async def unknown(request: web.Request) -> web.Response:
        raise not_found(request.path)

    app.router.add_route("*", f"/{API_VERSION}/{{rest:.*}}", door.guarded(unknown))
