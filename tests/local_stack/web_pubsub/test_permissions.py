"""Roles, wildcard roles, grants and revocations."""

from __future__ import annotations

import pytest

from local_stack.web_pubsub.permissions import Permissions


@pytest.mark.parametrize(
    ("role", "group", "allowed"),
    [
        ("webpubsub.sendToGroup", "any", True),
        ("webpubsub.sendToGroup.room", "room", True),
        ("webpubsub.sendToGroup.room", "room2", False),
        ("webpubsub.sendToGroup.a.b", "a.b", True),
        ("webpubsub.joinLeaveGroup", "any", False),
        ("webpubsub.sendToGroups.calls.*", "calls.1", True),
        ("webpubsub.sendToGroups.calls.*", "calls.1.2", False),
        ("webpubsub.sendToGroups.calls.**", "calls.1.2", True),
        ("webpubsub.sendToGroups.call?", "call7", True),
        ("webpubsub.sendToGroups.call?", "call.", False),
        ("webpubsub.sendToGroups.Call*", "call7", False),
        ("webpubsub.sendToGroups.a+b", "a+b", True),
        ("something else", "any", False),
    ],
)
def test_roles(role: str, group: str, allowed: bool) -> None:
    assert Permissions([role]).allows("sendToGroup", group) is allowed


def test_what_is_granted_for_all_is_not_granted_for_one_and_the_other_way_round() -> None:
    permissions = Permissions()
    permissions.grant("sendToGroup", "a")
    assert permissions.granted("sendToGroup", "a")
    assert not permissions.granted("sendToGroup", None)
    permissions.grant("sendToGroup", None)
    permissions.revoke("sendToGroup", "a")
    assert permissions.allows("sendToGroup", "a")
    permissions.revoke("sendToGroup", None)
    assert not permissions.allows("sendToGroup", "a")
