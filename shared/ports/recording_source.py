"""Where a provider has the recordings that it makes of our calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol


class RecordingSource(Protocol):
    """Asks the provider's own hosts only, with our credentials of that provider.

    Raises: TelephonyError (retryable where it may be there later), InvalidRequest for an address that is not the
    provider's, or that lies in an account which is not ours.
    """

    def read(self, url: str) -> AsyncGenerator[bytes, None]:
        """The recording as a WAV, piece by piece. Nothing is asked before the first piece is."""
        ...

    async def delete(self, url: str) -> bool:
        """Remove it at the provider; one that is gone already is no error. False where it offers no way."""
        ...


class RecordingRegister(Protocol):
    """A provider that puts recordings into its customer's own store."""

    async def locate(self, provider_call_id: str) -> str:
        """The address there; "" as long as there is none. Raises: TelephonyError."""
        ...
