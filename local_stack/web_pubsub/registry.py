"""Who is connected: connections by hub, by user and by group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.messages import Origin, Payload

Condition = Callable[[ClientConnection], bool]
Members = dict[str, ClientConnection]


@dataclass(slots=True)
class Hub:
    """The connections of one hub."""

    connections: Members = field(default_factory=dict)
    users: dict[str, Members] = field(default_factory=dict)
    groups: dict[str, Members] = field(default_factory=dict)

    def of_user(self, user_id: str) -> list[ClientConnection]:
        """The connections of a user."""
        return list(self.users.get(user_id, {}).values())

    def of_group(self, group: str) -> list[ClientConnection]:
        """The members of a group, the longest there first."""
        return list(self.groups.get(group, {}).values())

    def join(self, connection: ClientConnection, group: str) -> None:
        """Put a connection into a group."""
        connection.groups.add(group)
        self.groups.setdefault(group, {})[connection.id] = connection

    def leave(self, connection: ClientConnection, group: str) -> None:
        """Take a connection out of a group; a group without members is gone."""
        connection.groups.discard(group)
        _take_out(self.groups, group, connection.id)

    def leave_all(self, connection: ClientConnection) -> None:
        """Take a connection out of all its groups."""
        for group in list(connection.groups):
            self.leave(connection, group)


class Registry:
    """All connections of the endpoint."""

    def __init__(self) -> None:
        self._hubs: dict[str, Hub] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ClientConnection]:
        return iter([each for hub in self._hubs.values() for each in hub.connections.values()])

    def hub(self, name: str) -> Hub:
        """The hub of this name, which is empty if nobody ever connected to it."""
        return self._hubs.get(name.lower()) or Hub()

    def find(self, hub: str, connection_id: str) -> ClientConnection | None:
        """A connection that is open or may still be recovered."""
        return self.hub(hub).connections.get(connection_id)

    def add(self, connection: ClientConnection, groups: Iterable[str]) -> None:
        """Take a new connection in, as a member of these groups."""
        hub = self._hubs.setdefault(connection.hub, Hub())
        hub.connections[connection.id] = connection
        self._count += 1
        if connection.user_id is not None:
            hub.users.setdefault(connection.user_id, {})[connection.id] = connection
        for group in groups:
            hub.join(connection, group)

    def remove(self, connection: ClientConnection) -> bool:
        """Forget a connection; false if it was not there."""
        hub = self.hub(connection.hub)
        if hub.connections.pop(connection.id, None) is None:
            return False
        self._count -= 1
        hub.leave_all(connection)
        if connection.user_id is not None:
            _take_out(hub.users, connection.user_id, connection.id)
        return True


def send_to(
    receivers: Iterable[ClientConnection],
    payload: Payload,
    origin: Origin,
    *,
    excluded: Collection[str] = (),
    condition: Condition | None = None,
    ttl_s: int | None = None,
) -> None:
    """Send user data to each of the connections that is not excluded and meets the condition."""
    for connection in receivers:
        if connection.id not in excluded and (condition is None or condition(connection)):
            connection.send_data(payload, origin, ttl_s)


def _take_out(shelves: dict[str, Members], name: str, connection_id: str) -> None:
    members = shelves.get(name)
    if members is not None:
        members.pop(connection_id, None)
        if not members:
            del shelves[name]
