"""What a carrier can be told to do with a call."""

from __future__ import annotations

from typing import Protocol


class CallControl(Protocol):
    async def hang_up(self, provider_call_id: str) -> None:
        """End the call; one that has ended already is no error. Raises: TelephonyError."""
        ...
