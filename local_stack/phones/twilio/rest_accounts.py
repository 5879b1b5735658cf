"""`/Accounts`: subaccounts, each with a token of its own with which its requests are signed.

Source: https://www.twilio.com/docs/iam/api/subaccounts
"""

from __future__ import annotations

import secrets

from aiohttp import web

from local_stack.phones.twilio.account import API_VERSION, Account, new_sid
from local_stack.phones.twilio.rest_access import Door, form_of, page


class AccountsApi:
    def __init__(self, door: Door) -> None:
        self._door = door

    def add_routes(self, app: web.Application, path: str) -> None:
        app.router.add_post(f"{path}.json", self._door.guarded(self.create))
        app.router.add_get(f"{path}.json", self._door.guarded(self.list))
        app.router.add_get(f"{path}/{{account}}.json", self._door.guarded(self.get))

    async def create(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        owner = self._door.book.account
        name = form.get("FriendlyName", "")
        account = Account(new_sid("AC"), secrets.token_hex(16), name=name, owner_sid=owner.sid)
        self._door.book.add_account(account)
        return web.json_response(_resource(account), status=201)

    async def list(self, request: web.Request) -> web.Response:
        name = request.query.get("FriendlyName")
        accounts = [one for one in self._door.book.accounts.values() if name in (None, one.name)]
        return page(request, "accounts", [_resource(account) for account in accounts])

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(_resource(self._door.account_of(request)))


def _resource(account: Account) -> dict[str, object]:
    return {
        "sid": account.sid,
        "auth_token": account.auth_token,
        "friendly_name": account.name,
        "owner_account_sid": account.owner_sid or account.sid,
        "status": "active",
        "type": "Full",
        "uri": f"/{API_VERSION}/Accounts/{account.sid}.json",
    }
