"""Ports that nobody listens on."""

from __future__ import annotations

import random
import socket

_BELOW_THE_EPHEMERAL = range(20_000, 32_000)
"""Outgoing connections take theirs from 32768 on, so none of them takes one of these in the meantime."""


def free_ports(count: int) -> list[int]:
    """So many different ports of 127.0.0.1, free at this moment. Raises: OSError if there are not so many."""
    found: list[int] = []
    for port in random.sample(_BELOW_THE_EPHEMERAL, len(_BELOW_THE_EPHEMERAL)):
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"fewer than {count} free ports")
