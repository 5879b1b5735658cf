"""`python -m local_stack.samples`: the sample companies' systems as a process of its own, for demonstrations."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from local_stack.samples.service import SampleServices


async def _serve(port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    services = SampleServices()
    await services.start(port)
    print(f"sample services at {services.url}", file=sys.stderr, flush=True)
    try:
        await stopped.wait()
    finally:
        await services.stop()


def main() -> int:
    """0 after SIGTERM or SIGINT, 2 where the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.samples", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("LOCAL_SAMPLES_PORT") or 7090))
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.port))
    except OSError as error:
        print(f"samples: port {options.port}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
