"""Runs Chroma in the foreground: `python -m local_stack.chroma --port 7084 --state-dir .local/chroma`.

Chroma's server is a native module of its Python package; it needs nothing else of the package, nor the thirty
packages that its client asks for. `make setup` fetches the module alone; an installed `chromadb` serves as well.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
from pathlib import Path

from local_stack.programs.ports import PortTaken, require_free_port

MODULE = "chromadb_rust_bindings"
DEFAULT_PORT = 7084
_QUIET = "error"


def module_folder(models_dir: Path) -> Path | None:
    """Where the module is: fetched, or (as an empty path) installed; None where it is missing."""
    fetched_fits = (sys.platform, platform.machine()) == ("linux", "x86_64")
    if fetched_fits and any((models_dir / "chroma").glob(f"{MODULE}*.so")):
        return models_dir / "chroma"
    return Path() if importlib.util.find_spec(MODULE) is not None else None


def configuration(port: int, state_dir: Path) -> str:
    """The server's own file. Source: https://github.com/chroma-core/chroma/blob/main/rust/frontend/sample_configs"""
    return f"port: {port}\nlisten_address: 127.0.0.1\npersist_path: {state_dir.resolve()}\nallow_reset: false\n"


def main() -> int:
    """Run until a signal ends the process; 2 if the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.chroma")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--state-dir", type=Path, default=Path(".local/chroma"))
    parser.add_argument(
        "--models-dir", type=Path, default=Path(os.environ.get("LOCAL_STATE_DIR", ".local")) / "models"
    )
    options = parser.parse_args()
    folder = module_folder(options.models_dir)
    if folder is None:
        print("Chroma is missing: run make setup (other than Linux on x86-64: pip install chromadb)", file=sys.stderr)
        return 1
    try:
        require_free_port(options.port, part="chroma", variable="LOCAL_CHROMA_PORT")
    except PortTaken as problem:
        print(problem, file=sys.stderr)
        return 2
    options.state_dir.mkdir(parents=True, exist_ok=True)
    settings = options.state_dir / "server.yaml"
    settings.write_text(configuration(options.port, options.state_dir), encoding="utf-8")
    if folder != Path():
        sys.path.insert(0, str(folder))
    os.environ.setdefault("RUST_LOG", _QUIET)
    server = importlib.import_module(MODULE)
    server.cli(["chroma", "run", str(settings)])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
