"""Runs the endpoint: python -m local_stack.web_pubsub --port 7080 --config FILE.json."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from local_stack.programs.event_loop import loop_factory
from local_stack.web_pubsub.configuration import (
    Configuration,
    ConfigurationError,
    parse_configuration,
    read_configuration,
)
from local_stack.web_pubsub.defaults import DEFAULT_PORT, default_config
from local_stack.web_pubsub.server import Server

_log = logging.getLogger("local_stack.web_pubsub")


def main() -> int:
    """Exit code 0 after SIGTERM or SIGINT, 2 if the port is taken or the configuration wrong."""
    arguments = _arguments()
    logging.basicConfig(
        level=arguments.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        configuration = (
            read_configuration(arguments.config)
            if arguments.config
            else parse_configuration(default_config(port=arguments.port))
        )
    except ConfigurationError as error:
        print(f"web_pubsub: {error}", file=sys.stderr)
        return 2
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_serve(configuration, arguments.host, arguments.port))


async def _serve(configuration: Configuration, host: str, port: int) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopped.set)
    server = Server(configuration)
    try:
        bound_port = await server.start(host, port)
    except OSError as error:
        print(f"web_pubsub: cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}", file=sys.stderr)
        return 2
    _log.info("listening on http://%s:%d, hubs: %s", host, bound_port, ", ".join(configuration.hubs))
    await stopped.wait()
    await server.stop()
    _log.info("stopped")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_stack.web_pubsub", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("LOCAL_WEB_PUBSUB_PORT", str(DEFAULT_PORT))),
        help="port to listen on (default: %(default)s)",
    )
    parser.add_argument("--config", type=Path, help="JSON file; without it the local stack's defaults")
    parser.add_argument("--state-dir", type=Path, help="taken by all parts; this one keeps no state")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
