"""A taken port is reported before anything starts."""

from __future__ import annotations

import socket

import pytest

from local_stack.programs.ports import PortTaken, require_free_port
from tests.local_stack.running_part import free_ports


def test_a_free_port_passes_and_stays_free() -> None:
    [port] = free_ports(1)
    require_free_port(port, part="redis", variable="LOCAL_REDIS_PORT")
    require_free_port(port, part="redis", variable="LOCAL_REDIS_PORT")


def test_a_taken_port_is_named_with_part_and_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with pytest.raises(PortTaken) as refusal:
            require_free_port(port, part="redis", variable="LOCAL_REDIS_PORT")
    assert (
        str(refusal.value) == f"port {port} for redis is taken by another program: set LOCAL_REDIS_PORT to a free one"
    )


def test_a_port_is_free_again_right_after_its_connections_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as caller:
            accepted, _ = door.accept()
            accepted.close()
            caller.recv(1)
    require_free_port(port, part="redis", variable="LOCAL_REDIS_PORT")
