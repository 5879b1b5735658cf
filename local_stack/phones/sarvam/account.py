"""The workspace that the simulated voice agents belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NAMES = (
    "SAMVAAD_API_KEY",
    "SAMVAAD_ORG_ID",
    "SAMVAAD_WORKSPACE_ID",
    "SAMVAAD_APP_ID",
    "SAMVAAD_WEBHOOK_SECRET",
)


@dataclass(frozen=True)
class Account:
    """`webhook_secret` is what tools, hooks and the saved webhook bear, and `signing_secret` with what the results of
    that are signed, if it is set; whoever builds the agent enters them into the platform.
    """

    api_key: str
    org_id: str
    workspace_id: str
    app_id: str
    webhook_secret: str
    signing_secret: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Account | None:
        """Raises: ValueError, one line."""
        values = [environment.get(name, "").strip() for name in _NAMES]
        if not any(values):
            return None
        if missing := [name for name, value in zip(_NAMES, values, strict=True) if not value]:
            raise ValueError(f"{', '.join(missing)}: not set, and the voice agents of Sarvam's need it")
        api_key, org_id, workspace_id, app_id, webhook_secret = values
        signing_secret = environment.get("SAMVAAD_SIGNING_SECRET", "").strip()
        return cls(api_key, org_id, workspace_id, app_id, webhook_secret, signing_secret)

    def hook(self, app_url: str, name: str) -> str:
        """`name`: start, turn, end or result."""
        return f"{app_url.rstrip('/')}/api/webhooks/sarvam/{name}"
