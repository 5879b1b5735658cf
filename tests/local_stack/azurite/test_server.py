"""The storage emulator: Azure's own SDK works against it, and what was stored is there after a restart."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from local_stack.supervisor.addresses import Addresses
from local_stack.supervisor.app_settings import storage_connection_string
from tests.local_stack.running_part import end, free_ports, listens, running, until

pytestmark = pytest.mark.slow


def test_blobs_survive_a_restart(tmp_path: Path) -> None:
    ports = dict(zip(("azurite_blob", "azurite_queue", "azurite_table"), free_ports(3), strict=True))
    options = [item for name, port in ports.items() for item in (f"--{name[8:]}-port", port)]
    command = ("local_stack.azurite", *options, "--state-dir", tmp_path)
    connection_string = storage_connection_string(Addresses(tmp_path, ports))
    with running(*command) as server:
        until(lambda: all(listens(port) for port in ports.values()))
        with BlobServiceClient.from_connection_string(connection_string) as service:
            container = service.create_container("recordings")
            container.upload_blob("call.wav", b"RIFF" * 1000)
        assert end(server) == 0
    with running(*command):
        until(lambda: all(listens(port) for port in ports.values()))
        with BlobServiceClient.from_connection_string(connection_string) as service:
            blob = service.get_blob_client("recordings", "call.wav")
            assert blob.download_blob().readall() == b"RIFF" * 1000


def test_a_taken_port_is_status_2_and_names_the_service(tmp_path: Path) -> None:
    blob, table = free_ports(2)
    with socket.create_server(("127.0.0.1", 0)) as door:
        queue = door.getsockname()[1]
        command = ("--blob-port", blob, "--queue-port", queue, "--table-port", table)
        with running("local_stack.azurite", *command, "--state-dir", tmp_path) as server:
            assert server.wait(20) == 2
            assert server.stdout is not None
            line = f"port {queue} for azurite (queue) is taken by another program"
            assert server.stdout.read() == f"{line}: set LOCAL_AZURITE_QUEUE_PORT to a free one\n"
