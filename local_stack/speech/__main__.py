"""`python -m local_stack.speech`: the speech and language service as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from local_stack.speech.scripted.backend import ScriptedBackend, add_direction
from local_stack.speech.scripted.director import Director
from local_stack.speech.scripted.recordings import Recordings
from local_stack.speech.scripted.script import load_script
from local_stack.speech.server import build_app
from local_stack.speech.timeline import Timeline

SHUTDOWN_S = 2.0

_log = logging.getLogger("local_stack.speech")


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after SIGTERM or SIGINT, 2 when it cannot start."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        timeline = Timeline()
        app = _app(options, timeline)
        asyncio.run(_serve(app, options.host, options.port))
    except (OSError, ValueError) as error:
        print(f"speech: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    state_dir = Path(os.environ.get("LOCAL_STATE_DIR", ".local"))
    parser = argparse.ArgumentParser(prog="python -m local_stack.speech", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("LOCAL_SPEECH_PORT", "7081")))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state-dir", type=Path, default=state_dir)
    parser.add_argument("--models", type=Path, help="folder of the model files; default: models in the state folder")
    parser.add_argument("--mode", choices=("local", "scripted"), default="local")
    parser.add_argument("--script", type=Path, help="scripted mode: the dialogue and its latencies, as JSON")
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 2, 4), help="of the language model")
    return parser


def _app(options: argparse.Namespace, timeline: Timeline) -> web.Application:
    if options.mode == "scripted":
        director = Director(load_script(options.script), Recordings(options.state_dir / "voices"))
        app = build_app(ScriptedBackend(director), timeline, ScriptedBackend(director.fallback))
        add_direction(app, director)
        return app
    from local_stack.speech.local.loading import LocalBackend  # noqa: PLC0415 - its models are heavy to import

    return build_app(LocalBackend(options.models or options.state_dir / "models", options.threads), timeline)


async def _serve(app: web.Application, host: str, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    # Cancelling handlers is what frees the language model when a caller interrupts.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        _log.info("listening on http://%s:%d", host, port)
        await stopped.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # The threads of llama.cpp outlive the interpreter's own shutdown and would hold it up.
    os._exit(code)
