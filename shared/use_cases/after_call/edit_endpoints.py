"""Whom a tenant has told: endpoints, their secrets, and what became of each message."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from shared.domain.after_call.records import DeliveryRequest
from shared.domain.after_call.webhooks import SECRET_PREFIX, Endpoint, EventKind, Secret
from shared.domain.errors import Conflict, InvalidRequest, NotFound
from shared.ports.clock import Clock
from shared.ports.vault import Sealed, Vault
from shared.ports.webhooks import AfterCallOrchestrations, Webhooks

MOST_ENDPOINTS = 20
_SECRET_BYTES = 32
_OLD_SECRET_SIGNS = timedelta(hours=24)
_MOST_SECRETS = 4


async def read_secrets(vault: Vault, tenant_id: str, endpoint_id: str, sealed: Sealed) -> Sequence[Secret]:
    """Raises: StoreError."""
    plain = await vault.unseal(sealed, purpose=secrets_purpose(tenant_id, endpoint_id))
    return [Secret(**each) for each in json.loads(plain)]


@dataclass(frozen=True, slots=True)
class EditEndpoints:
    """`check_address`: whether an address may be called at all; raises InvalidRequest."""

    webhooks: Webhooks
    vault: Vault
    clock: Clock
    check_address: Callable[[str], None]

    async def add(self, tenant_id: str, url: str, events: Sequence[str]) -> tuple[Endpoint, Secret]:
        """A new endpoint, and its secret, which is never told again. Raises: InvalidRequest, Conflict."""
        self.check_address(url)
        kinds = _kinds(events)
        if not self.vault.key_id:
            raise Conflict("sealing_not_set_up", "secrets cannot be kept: no sealing keys are set up")
        endpoint = Endpoint(f"whe_{uuid.uuid4().hex}", url, kinds, self.clock.now())
        secret = _new_secret()
        sealed = await self._sealed(tenant_id, endpoint.endpoint_id, [secret])
        if not await self.webhooks.add(tenant_id, endpoint, sealed, most=MOST_ENDPOINTS):
            raise Conflict("too_many_endpoints", f"a tenant has at most {MOST_ENDPOINTS} endpoints")
        return endpoint, secret

    async def one(self, tenant_id: str, endpoint_id: str) -> Endpoint:
        """Raises: NotFound."""
        return (await self._found(tenant_id, endpoint_id))[0]

    async def new_secret(self, tenant_id: str, endpoint_id: str) -> Secret:
        """It signs from now on; beside it, for a day, the one before it. Raises: NotFound, Conflict, StoreError."""
        _, sealed = await self._found(tenant_id, endpoint_id)
        now = self.clock.now()
        known = await read_secrets(self.vault, tenant_id, endpoint_id, sealed)
        until = int((now + _OLD_SECRET_SIGNS).timestamp())
        old = [
            Secret(each.key_id, each.secret, each.until or until)
            for each in known
            if not each.until or each.until > now.timestamp()
        ]
        secret = _new_secret()
        new = await self._sealed(tenant_id, endpoint_id, [secret, *old[: _MOST_SECRETS - 1]])
        if not await self.webhooks.set_secrets(tenant_id, endpoint_id, sealed, new):
            raise Conflict("secret_changed", "somebody has changed the secret meanwhile")
        return secret

    async def enable(self, tenant_id: str, endpoint_id: str) -> Endpoint:
        """Raises: NotFound."""
        if not await self.webhooks.enable(tenant_id, endpoint_id):
            raise _unknown()
        return await self.one(tenant_id, endpoint_id)

    async def remove(self, tenant_id: str, endpoint_id: str) -> None:
        """Raises: NotFound."""
        if not await self.webhooks.remove(tenant_id, endpoint_id):
            raise _unknown()

    async def deliver_again(self, tenant_id: str, delivery_id: str, orchestrations: AfterCallOrchestrations) -> None:
        """The same message, under the same id, however it ended before. Raises: NotFound, StoreError."""
        if not await self.webhooks.revive(tenant_id, delivery_id):
            raise NotFound("delivery_unknown", "there is no such delivery, or not any more")
        await orchestrations.start_delivery(DeliveryRequest(tenant_id, delivery_id))

    async def _found(self, tenant_id: str, endpoint_id: str) -> tuple[Endpoint, Sealed]:
        found = await self.webhooks.endpoint(tenant_id, endpoint_id)
        if found is None:
            raise _unknown()
        return found

    async def _sealed(self, tenant_id: str, endpoint_id: str, known: Sequence[Secret]) -> Sealed:
        plain = json.dumps([asdict(secret) for secret in known]).encode()
        return await self.vault.seal(plain, purpose=secrets_purpose(tenant_id, endpoint_id))


def _kinds(events: Sequence[str]) -> tuple[EventKind, ...]:
    try:
        kinds = tuple(dict.fromkeys(EventKind(event) for event in events))
    except ValueError:
        kinds = ()
    if not kinds:
        raise InvalidRequest("events", f"events must be some of {', '.join(EventKind)}")
    return kinds


def _new_secret() -> Secret:
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    return Secret(f"whk_{uuid.uuid4().hex[:16]}", secret)


def secrets_purpose(tenant_id: str, endpoint_id: str) -> str:
    """What an endpoint's sealed secrets are, and whose."""
    return f"webhook secrets {tenant_id} {endpoint_id}"


def _unknown() -> NotFound:
    return NotFound("endpoint_unknown", "there is no such endpoint")
