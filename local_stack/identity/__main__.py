"""Runs the issuer: `python -m local_stack.identity --port 7082 --state-dir .local/identity`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from aiohttp import web

from local_stack.identity.directory import DirectoryError, read_directory
from local_stack.identity.key_ring import KeyRing
from local_stack.identity.service import Issuer, access_log
from local_stack.programs.ports import PortTaken, require_free_port


def main() -> int:
    """Serve until told to stop; 0 after a clean stop, 2 if the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.identity")
    parser.add_argument("--port", type=int, default=7082)
    parser.add_argument("--state-dir", type=Path, default=Path(".local/identity"))
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.json"))
    parser.add_argument("--public-url", help="base of every address in the documents")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    secret = os.environ.get("LOCAL_IDENTITY_CLIENT_SECRET", "")
    base_url = (options.public_url or f"http://localhost:{options.port}").rstrip("/")
    try:
        require_free_port(options.port, part="identity", variable="LOCAL_IDENTITY_PORT")
        directory = read_directory(options.config)
    except PortTaken as problem:
        print(problem, file=sys.stderr)
        return 2
    except DirectoryError as problem:
        print(f"identity: {problem}", file=sys.stderr)
        return 1
    keys = KeyRing(options.state_dir)
    keys.open()
    application = Issuer(directory, keys, base_url, secret).application()
    application.logger = logging.getLogger("identity")
    application.middlewares.insert(0, access_log)
    web.run_app(application, host="127.0.0.1", port=options.port, access_log=None, print=None, shutdown_timeout=2)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
