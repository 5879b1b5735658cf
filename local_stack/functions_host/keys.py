"""Access keys of the app, kept in the state directory; checked only when the host is told to."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local_stack.functions_host.errors import HostConfigurationError
from local_stack.functions_host.http_messages import RawRequest

ANONYMOUS = "ANONYMOUS"
FUNCTION = "FUNCTION"
ADMIN = "ADMIN"

DURABLE_EXTENSION = "durabletask_extension"


class KeyRing:
    """Master, host, function and system keys.

    Source: https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
    """

    def __init__(self, path: Path, *, enforced: bool) -> None:
        """Load the keys of `path`, making them at the first start. Raises: HostConfigurationError."""
        self.enforced = enforced
        self._document = self._load(path)

    @property
    def master(self) -> str:
        return str(self._document["master"])

    @property
    def host_key(self) -> str:
        return str(self._document["host"]["default"])

    @property
    def durable_key(self) -> str:
        return str(self._document["system"][DURABLE_EXTENSION])

    def allows_function(self, request: RawRequest, auth_level: str, function_name: str) -> bool:
        """Whether `request` may call a function of `auth_level`."""
        if not self.enforced or auth_level == ANONYMOUS:
            return True
        accepted = [self.master]
        if auth_level == FUNCTION:
            accepted += self._document["host"].values()
            accepted += self._document["functions"].get(function_name, {}).values()
        return self._has_one_of(request, accepted)

    def allows_admin(self, request: RawRequest) -> bool:
        return not self.enforced or self._has_one_of(request, [self.master])

    def allows_durable_webhook(self, request: RawRequest) -> bool:
        return not self.enforced or self._has_one_of(request, [self.master, self.durable_key])

    @staticmethod
    def _has_one_of(request: RawRequest, accepted: Iterable[str]) -> bool:
        given = request.header(b"x-functions-key") or request.parameters().get("code") or ""
        return any(hmac.compare_digest(given.encode(), str(key).encode()) for key in accepted)

    @staticmethod
    def _load(path: Path) -> dict[str, Any]:
        if path.is_file():
            try:
                document = json.loads(path.read_text("utf-8"))
                str(document["master"]), document["host"]["default"], document["functions"]
                str(document["system"][DURABLE_EXTENSION])
            except (ValueError, KeyError, TypeError):
                raise HostConfigurationError(f"{path} is no key file of this host; remove it") from None
            return dict(document)
        document = {
            "master": secrets.token_urlsafe(40),
            "host": {"default": secrets.token_urlsafe(40)},
            "functions": {},
            "system": {DURABLE_EXTENSION: secrets.token_urlsafe(40)},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=2), "utf-8")
        return document
