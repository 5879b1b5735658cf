"""Runs PostgreSQL in the foreground: `python -m local_stack.postgres --state-dir .local/postgres`."""

from __future__ import annotations

import argparse
import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from local_stack.postgres.account import choose_account
from local_stack.postgres.cluster import Cluster, ClusterError, installed_programs
from local_stack.programs.ports import PortTaken, require_free_port

_log = logging.getLogger("postgres")


class _Server:
    """The server process; a signal may come before it exists."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stop_asked = threading.Event()

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ask for a fast shutdown: it ends sessions, writes a checkpoint and leaves."""
        self._stop_asked.set()
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)

    def run(self, command: list[str]) -> int:
        """Run it to its end and return the exit status."""
        if self._stop_asked.is_set():
            return 0
        self._process = subprocess.Popen(command)
        if self._stop_asked.is_set():
            self._process.send_signal(signal.SIGINT)
        status = self._process.wait()
        return 0 if self._stop_asked.is_set() else status or 1


def main() -> int:
    """Serve until told to stop; 0 after a clean stop, 2 if the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.postgres")
    parser.add_argument("--port", type=int, default=7432)
    parser.add_argument("--state-dir", type=Path, default=Path(".local/postgres"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    server = _Server()
    signal.signal(signal.SIGTERM, server.stop)
    signal.signal(signal.SIGINT, server.stop)
    try:
        require_free_port(options.port, part="postgres", variable="LOCAL_POSTGRES_PORT")
        account = choose_account()
        cluster = Cluster(options.state_dir, account, installed_programs())
        cluster.prepare()
        _log.info("starts on 127.0.0.1:%d, data in %s, as %s", options.port, cluster.data_dir, account.how)
        return server.run(cluster.server_command(options.port))
    except PortTaken as problem:
        print(problem, file=sys.stderr)
        return 2
    except ClusterError as problem:
        print(f"postgres: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
