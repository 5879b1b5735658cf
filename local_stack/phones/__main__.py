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

from local_stack.phones.exchange import Setup
from local_stack.phones.provider_speech import ProviderSpeech, default_speech_url
from local_stack.phones.server import make_app
from local_stack.phones.switchboard import Switchboard, open_switchboard


def arguments() -> argparse.ArgumentParser:
    environment = os.environ
    parser = argparse.ArgumentParser(prog="python -m local_stack.phones", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(environment.get("LOCAL_PHONES_PORT", "7083")))
    parser.add_argument("--account-sid", help="in place of TWILIO_ACCOUNT_SID")
    parser.add_argument("--auth-token", help="in place of TWILIO_AUTH_TOKEN")
    parser.add_argument(
        "--app-url",
        default=environment.get("PUBLIC_BASE_URL", "http://localhost:7071"),
        help="public origin of the app that is called",
    )
    parser.add_argument("--speech-url", default=default_speech_url(), help="the providers' own ear and voice")
    state_dir = environment.get("LOCAL_STATE_DIR", ".local")
    parser.add_argument("--state-dir", type=Path, default=Path(state_dir), help="calls are kept below it")
    return parser


def setup_of(options: argparse.Namespace) -> Setup:
    """The accounts come from the environment; Twilio's may be named as options."""
    named = {"TWILIO_ACCOUNT_SID": options.account_sid, "TWILIO_AUTH_TOKEN": options.auth_token}
    environment = {**os.environ, **{name: value for name, value in named.items() if value is not None}}
    app_url = options.app_url.rstrip("/")
    return Setup(environment, app_url, options.state_dir, ProviderSpeech(options.speech_url))


async def serve(options: argparse.Namespace, switchboard: Switchboard) -> int:
    """Serves until SIGTERM or SIGINT; 2 if the port is taken."""
    app = make_app(switchboard, options.app_url)
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
        switchboard = open_switchboard(setup_of(options))
    except ValueError as error:
        print(f"phones: {error}; the accounts come from the environment", file=sys.stderr)
        return 2
    return asyncio.run(serve(options, switchboard))


if __name__ == "__main__":
    sys.exit(main())
