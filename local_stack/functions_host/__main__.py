"""Command line of the local Functions host: `python -m local_stack.functions_host --port 7071`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path

from local_stack.functions_host.app_settings import load_app_settings, publish_app_settings
from local_stack.functions_host.errors import (
    AddressInUseError,
    FunctionAppImportError,
    HostConfigurationError,
    StateDirectoryInUseError,
)
from local_stack.functions_host.function_index import import_function_app, index_functions
from local_stack.functions_host.host import FunctionsHost, HostSetup, bind
from local_stack.functions_host.host_json import load_host_options
from local_stack.functions_host.keys import KeyRing
from local_stack.functions_host.log_levels import configure_logging
from local_stack.functions_host.state_directory import StateDirectoryLock
from local_stack.programs.event_loop import loop_factory

log = logging.getLogger(__name__)

_EXIT_APP_ERROR = 1
_EXIT_BUSY = 2


def main() -> int:
    arguments = _parse_arguments()
    app_root = Path(arguments.app_root).resolve()
    state_dir = Path(arguments.state_dir).resolve()
    try:
        with StateDirectoryLock(state_dir):
            setup = _prepare(arguments, app_root, state_dir)
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                return runner.run(_serve(setup))
    except (AddressInUseError, StateDirectoryInUseError) as error:
        return _refuse(str(error), _EXIT_BUSY)
    except (HostConfigurationError, FunctionAppImportError) as error:
        if arguments.verbose and error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        return _refuse(str(error), _EXIT_APP_ERROR)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_stack.functions_host", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("APP_PORT") or 7071))
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--app-root", default=".", help="folder of function_app.py and host.json")
    parser.add_argument(
        "--state-dir", default=str(Path(os.environ.get("LOCAL_STATE_DIR") or ".local") / "functions_host")
    )
    parser.add_argument("--keys", action="store_true", help="check access keys, as on Azure")
    parser.add_argument("--verbose", action="store_true", help="log at DEBUG, show tracebacks")
    return parser.parse_args()


def _prepare(arguments: argparse.Namespace, app_root: Path, state_dir: Path) -> HostSetup:
    settings = load_app_settings(app_root, os.environ)
    publish_app_settings(settings)
    options = load_host_options(app_root, settings)
    configure_logging(options.log_levels, verbose=arguments.verbose)
    # Before the app is imported, which may take a while.
    listener = _bind(arguments.host, arguments.port)
    # The SDK's word for an event that came before its wait.
    warnings.filterwarnings("ignore", message="Potential duplicate Task completion")
    index = index_functions(import_function_app(app_root))
    return HostSetup(
        index=index,
        options=options,
        settings=settings,
        keys=KeyRing(state_dir / "keys.json", enforced=arguments.keys or _keys_wanted(settings)),
        state_dir=state_dir,
        listener=listener,
    )


def _bind(host: str, port: int) -> socket.socket:
    try:
        return bind(host, port)
    except OSError as error:
        raise AddressInUseError(f"cannot listen on {host}:{port}: {error.strerror}") from None


def _keys_wanted(settings: Mapping[str, str]) -> bool:
    return settings.get("LOCAL_FUNCTIONS_KEYS", "").strip().casefold() in {"1", "true"}


async def _serve(setup: HostSetup) -> int:
    host = FunctionsHost(setup)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await host.start()
    # What is loaded stays for good; the collector need not look at it again.
    gc.collect()
    gc.freeze()
    await stopping.wait()
    await host.stop()
    return 0


def _refuse(message: str, code: int) -> int:
    print(f"functions host: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    # Threads of blocking functions must not hold up the end of the process.
    status = main()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(status)
