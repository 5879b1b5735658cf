"""Text messages to telephones."""

from __future__ import annotations

from typing import Protocol


class ShortMessages(Protocol):
    async def send(self, tenant_id: str, *, sender: str, to: str, text: str) -> str:
        """Once, from one of the tenant's numbers; gives the provider's id of it.

        Raises: OutcomeUnknown (`shared.domain.tools.outcomes`) where it may have been sent; ToolError where it was
        certainly not, retryable where it may be later.
        """
        ...
