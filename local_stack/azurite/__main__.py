"""Runs Azurite in the foreground: `python -m local_stack.azurite --state-dir .local/azurite`."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from local_stack.programs.launch import become
from local_stack.programs.ports import PortTaken, require_free_port

_SMALL_NURSERY = "--max-semi-space-size=2"
"""In MB. With the default of 16 every upload leaves memory behind that is long not collected."""
_PROGRAM = Path(__file__).parent / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


def server_command(node: str, ports: dict[str, int], state_dir: Path) -> list[str]:
    """Return the command line; `ports` has the keys blob, queue and table."""
    command = [node, _SMALL_NURSERY, str(_PROGRAM), "--location", str(state_dir.resolve())]
    for service, port in ports.items():
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    # The SDK may speak a newer version of the protocol than this release knows by name.
    return [*command, "--skipApiVersionCheck", "--disableTelemetry", "--silent"]


def main() -> int:
    """Become the server; 2 if a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.azurite")
    parser.add_argument("--blob-port", "--port", type=int, default=7110)
    parser.add_argument("--queue-port", type=int, default=7111)
    parser.add_argument("--table-port", type=int, default=7112)
    parser.add_argument("--state-dir", type=Path, default=Path(".local/azurite"))
    options = parser.parse_args()
    node = shutil.which("node")
    if node is None:
        print("node is missing: install Node.js 20 or newer", file=sys.stderr)
        return 1
    if not _PROGRAM.exists():
        print("Azurite is missing: run make setup", file=sys.stderr)
        return 1
    ports = {"blob": options.blob_port, "queue": options.queue_port, "table": options.table_port}
    try:
        for service, port in ports.items():
            variable = f"LOCAL_AZURITE_{service.upper()}_PORT"
            require_free_port(port, part=f"azurite ({service})", variable=variable)
    except PortTaken as problem:
        print(problem, file=sys.stderr)
        return 2
    options.state_dir.mkdir(parents=True, exist_ok=True)
    return become(server_command(node, ports, options.state_dir))


if __name__ == "__main__":
    raise SystemExit(main())
