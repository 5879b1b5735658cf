"""Who is asking, after the door has checked it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.errors import Forbidden


class Role(StrEnum):
    CALLER = "caller"
    OPERATOR = "operator"
    ADMIN = "admin"
    PLATFORM = "platform"
    """Runs the installation: what is said there concerns all tenants, and so is no tenant's to say."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated person (`is_daemon` False) or service, acting within one tenant."""

    subject: str
    tenant_id: str
    roles: frozenset[Role]
    is_daemon: bool = False

    def require(self, *allowed: Role) -> None:
        """Raises: Forbidden, unless the principal has one of the allowed roles; an admin may do everything within the
        tenant.
        """
        beyond_tenants = {*allowed} == {Role.PLATFORM}
        if not self.roles & {*allowed, Role.PLATFORM if beyond_tenants else Role.ADMIN}:
            raise Forbidden("role_missing", f"this needs one of the roles: {', '.join(sorted(allowed))}")
