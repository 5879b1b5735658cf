"""Runs the phones part: `python -m local_stack.phones --port 7083 --account-sid AC… --auth-token …`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from local_stack.phones.server import make_app
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.exchange import Exchange


def arguments() -> argparse.ArgumentParser:
    environment = os.environ
    parser = argparse.ArgumentParser(prog="python -m local_stack.phones", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(environment.get("LOCAL_PHONES_PORT", "7083")))
    parser.add_argument("--account-sid", default=environment.get("TWILIO_ACCOUNT_SID", ""))
    parser.add_argument("--auth-token", default=environment.get("TWILIO_AUTH_TOKEN", ""))
    parser.add_argument(
        "--app-url",
        default=environment.get("PUBLIC_BASE_URL", "http://localhost:7071"),
        help="public origin of the app that is called",
    )
    state_dir = environment.get("LOCAL_STATE_DIR", ".local")
    parser.add_argument("--state-dir", type=Path, default=Path(state_dir), help="calls are kept below it")
    return parser


async def serve(options: argparse.Namespace, account: Account) -> int:
    """Serves until SIGTERM or SIGINT; 2 if the port is taken."""
    app = make_app(Exchange(account, options.state_dir), options.app_url)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
    except OSError as error:
        print(f"phones: port {options.port} cannot be used: {error.strerror}", file=sys.stderr)
        await runner.cleanup()
        return 2
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    logging.info("phones: ready on port %d", options.port)
    await stopped.wait()
    await runner.cleanup()
    return 0


def main() -> int:
    options = arguments().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        account = Account(options.account_sid, options.auth_token)
    except ValueError as error:
        print(f"phones: {error}; give --account-sid and --auth-token", file=sys.stderr)
        return 2
    return asyncio.run(serve(options, account))


if __name__ == "__main__":
    sys.exit(main())
