"""One delivery to a tenant's endpoint: an attempt, and giving it up."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.domain.after_call.records import DeliveryRequest
from shared.domain.after_call.webhooks import GONE, MOST_FAILURES, DeliveryState, headers_of
from shared.domain.errors import StoreError
from shared.ports.clock import Clock
from shared.ports.vault import Vault
from shared.ports.web_requests import WebError, WebRequest, WebRequests
from shared.ports.webhooks import Addressed, Webhooks
from shared.use_cases.after_call.edit_endpoints import read_secrets, secrets_purpose

logger = logging.getLogger(__name__)

DEADLINE_S = 15.0
_MOST_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class DeliverWebhook:
    webhooks: Webhooks
    vault: Vault
    web: WebRequests
    clock: Clock

    async def __call__(self, request: DeliveryRequest) -> DeliveryState:
        """An attempt; how the delivery stands then. Run again after a crash it may send the same message twice, under
        the same id. Raises: StoreError.
        """
        addressed = await self.webhooks.addressed(request.tenant_id, request.delivery_id)
        if addressed is None:
            return DeliveryState.DEAD
        if addressed.delivery.state is not DeliveryState.PENDING:
            return addressed.delivery.state
        if addressed.endpoint.disabled_reason:
            return await self._note(request, DeliveryState.DEAD, fault="endpoint_disabled", counts=False)
        try:
            status, fault = await self._sent(request, addressed)
        except StoreError as error:
            if error.retryable:
                raise
            return await self._note(request, DeliveryState.DEAD, fault=error.code, counts=False)
        state = DeliveryState.PENDING if fault else DeliveryState.DELIVERED
        if status == GONE:
            state = DeliveryState.DEAD
            await self.webhooks.disable(request.tenant_id, addressed.endpoint.endpoint_id, "gone")
        return await self._note(request, state, status=status, fault=fault)

    async def give_up(self, request: DeliveryRequest) -> DeliveryState:
        """It goes onto the list of the dead, if it is not delivered; why stands there already. Raises: StoreError."""
        addressed = await self.webhooks.addressed(request.tenant_id, request.delivery_id)
        if addressed is None or addressed.delivery.state is not DeliveryState.PENDING:
            return DeliveryState.DEAD if addressed is None else addressed.delivery.state
        last = addressed.delivery
        return await self._note(
            request, DeliveryState.DEAD, status=last.last_status, fault=last.last_fault, counts=False
        )

    async def _sent(self, request: DeliveryRequest, addressed: Addressed) -> tuple[int, str]:
        """Status, 0 where there was no answer, and what was wrong. Raises: StoreError."""
        delivery, endpoint = addressed.delivery, addressed.endpoint
        secrets = await read_secrets(self.vault, request.tenant_id, endpoint.endpoint_id, addressed.secrets)
        await self._seal_anew(request.tenant_id, addressed)
        headers = headers_of(delivery.event_id, delivery.body, secrets, now=self.clock.now())
        wanted = WebRequest(
            "POST",
            endpoint.url,
            headers,
            delivery.body.encode(),
            deadline_s=DEADLINE_S,
            most_bytes=_MOST_BYTES,
            cuts=True,
        )
        try:
            answer = await self.web.send(wanted)
        except WebError as error:
            return 0, error.code
        return answer.status, "" if answer.is_success else f"http_{answer.status}"

    async def _seal_anew(self, tenant_id: str, addressed: Addressed) -> None:
        """Under the vault's present key, so that the one before it can be thrown away at last."""
        if addressed.secrets.key_id == self.vault.key_id:
            return
        endpoint_id = addressed.endpoint.endpoint_id
        new = await self.vault.reseal(addressed.secrets, purpose=secrets_purpose(tenant_id, endpoint_id))
        await self.webhooks.set_secrets(tenant_id, endpoint_id, addressed.secrets, new)

    async def _note(
        self,
        request: DeliveryRequest,
        state: DeliveryState,
        *,
        status: int = 0,
        fault: str = "",
        counts: bool = True,
    ) -> DeliveryState:
        if state is not DeliveryState.DELIVERED:
            logger.info("webhook %s: %s, %s", request.delivery_id, state, fault)
        await self.webhooks.note(
            request.tenant_id,
            request.delivery_id,
            state,
            status=status,
            fault=fault,
            counts=counts,
            most_failures=MOST_FAILURES,
        )
        return state
