"""What a client may do with groups: its roles, and what REST granted or revoked since."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, get_args

Permission = Literal["joinLeaveGroup", "sendToGroup"]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


class Permissions:
    """Rights of one connection.

    Roles: `webpubsub.sendToGroup` (any group), `webpubsub.sendToGroup.<group>` (one group),
    `webpubsub.sendToGroups.<pattern>` (by pattern); `joinLeaveGroup` likewise.
    Source: https://learn.microsoft.com/azure/azure-web-pubsub/concept-client-protocols#permissions
    """

    __slots__ = ("_everywhere", "_groups", "_patterns")

    def __init__(self, roles: Iterable[str] = ()) -> None:
        self._everywhere: set[Permission] = set()
        self._groups: dict[Permission, set[str]] = {permission: set() for permission in PERMISSIONS}
        self._patterns: dict[Permission, set[str]] = {permission: set() for permission in PERMISSIONS}
        self.add_roles(roles)

    def add_roles(self, roles: Iterable[str]) -> None:
        """Add what these roles allow; unknown roles allow nothing."""
        for role in roles:
            for permission in PERMISSIONS:
                stem = f"webpubsub.{permission}"
                if role == stem:
                    self._everywhere.add(permission)
                elif role.startswith(f"{stem}."):
                    self._groups[permission].add(role[len(stem) + 1 :])
                elif role.startswith(f"{stem}s."):
                    self._patterns[permission].add(role[len(stem) + 2 :])

    def allows(self, permission: Permission, group: str) -> bool:
        """Whether this connection may do it with this group."""
        return (
            permission in self._everywhere
            or group in self._groups[permission]
            or any(_pattern(text).fullmatch(group) for text in self._patterns[permission])
        )

    def grant(self, permission: Permission, group: str | None) -> None:
        """Allow it for one group, or for all with None."""
        if group is None:
            self._everywhere.add(permission)
        else:
            self._groups[permission].add(group)

    def revoke(self, permission: Permission, group: str | None) -> None:
        """Take back what was allowed for one group, or for all with None."""
        if group is None:
            self._everywhere.discard(permission)
        else:
            self._groups[permission].discard(group)

    def granted(self, permission: Permission, group: str | None) -> bool:
        """Whether it is allowed for this group, or for all with None."""
        return permission in self._everywhere if group is None else self.allows(permission, group)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    """`*` stays within a dot-separated segment, `**` crosses segments, `?` is one character but a dot.

    Source: https://learn.microsoft.com/azure/azure-web-pubsub/concept-wildcard-group-roles
    """
    translated = {"**": ".*", "*": "[^.]*", "?": "[^.]"}
    parts = re.split(r"(\*\*|\*|\?)", text)
    return re.compile("".join(translated.get(part, re.escape(part)) for part in parts), re.DOTALL)
