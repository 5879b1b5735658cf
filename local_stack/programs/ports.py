"""Looks at a port before a part takes it, so that a taken one is one clear line and not a stack trace."""

from __future__ import annotations

import errno
import socket


class PortTaken(Exception):
    """A port that a part needs is in use; the text names port, part and the variable to change."""


def require_free_port(port: int, *, part: str, variable: str, host: str = "127.0.0.1") -> None:
    """Return if `host:port` can be listened on now.

    Raises:
        PortTaken: somebody else listens there, or the system does not let us (ports below 1024).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                reason = "is taken by another program"
            elif problem.errno == errno.EACCES:
                reason = "is not allowed to this user"
            else:
                reason = f"cannot be used ({problem.strerror})"
            raise PortTaken(f"port {port} for {part} {reason}: set {variable} to a free one") from problem
