"""Finds a Chromium for the browser tests, or installs Debian's: as root with apt, else unpacked beside us."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from local_stack.setup.step import SetupError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_APT_DEADLINE_SECONDS = 600
_TRIAL_DEADLINE_SECONDS = 60


def find_chromium(state_dir: Path) -> Path | None:
    """Return the program named by `CHROMIUM`, on the PATH, or unpacked in the state folder."""
    if named := os.environ.get("CHROMIUM"):
        return Path(named)
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    launcher = state_dir / "chromium" / "chromium"
    return launcher if launcher.exists() else None


def install_chromium(state_dir: Path, log_dir: Path) -> Path:
    """Install Chromium and return its program.

    Raises:
        SetupError: there is no way to get one here; the text says what to do.
    """
    if shutil.which("apt-get") is None:
        raise SetupError("Chromium is missing, and there is no apt-get: install it and set CHROMIUM=…")
    log = log_dir / "setup-chromium.log"
    if os.geteuid() == 0:
        _install_with_apt(log)
    else:
        _unpack(state_dir / "chromium", log)
    program = find_chromium(state_dir)
    if program is None:
        raise SetupError(f"Chromium was installed but is not found: see {log}")
    return program


def _install_with_apt(log: Path) -> None:
    install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    if _run(install, log, environment) != 0:
        # The package lists of a fresh machine are missing or old.
        _run(["apt-get", "update"], log)
        if _run(install, log, environment) != 0:
            raise SetupError(f"Chromium could not be installed: see {log}")


def _unpack(folder: Path, log: Path) -> None:
    """Download Chromium and the libraries that this machine lacks, and unpack them without root."""
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    tree = unfinished / "tree"
    tree.mkdir(parents=True)
    lists = _private_lists(unfinished, log)
    packages = _missing_packages(lists, log)
    archives = unfinished / "archives"
    archives.mkdir()
    if _run(["apt-get", *lists, "download", *packages], log, folder=archives) != 0:
        raise SetupError(f"Chromium's packages could not be downloaded: see {log}")
    for archive in sorted(archives.glob("*.deb")):
        if _run(["dpkg-deb", "-x", str(archive), str(tree)], log) != 0:
            raise SetupError(f"{archive.name} could not be unpacked: see {log}")
    shutil.rmtree(archives)
    _write_launcher(unfinished, folder)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def _private_lists(folder: Path, log: Path) -> list[str]:
    """Return options for apt with package lists of our own, since the system's belong to root."""
    state = folder / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    options = ["-o", f"Dir::State::lists={state}/lists", "-o", f"Dir::Cache={state}/cache"]
    options += ["-o", "APT::Sandbox::User=", "-o", "Debug::NoLocking=1"]
    if _run(["apt-get", *options, "update"], log) != 0:
        raise SetupError(f"Debian's package lists could not be read: see {log}")
    return options


def _missing_packages(lists: list[str], log: Path) -> list[str]:
    """Return what apt would add for Chromium on this machine, as NAME=VERSION.

    What it would only upgrade is left out: a C library beside the system's would not fit its loader.
    """
    command = ["apt-get", *lists, "install", "--simulate", "--no-install-recommends", "chromium"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_APT_DEADLINE_SECONDS, check=False)
    except subprocess.TimeoutExpired as problem:
        raise SetupError("apt-get took too long to plan Chromium's installation") from problem
    with log.open("a", encoding="utf-8") as file:
        file.write(done.stdout + done.stderr)
    # "Inst NAME (VERSION …" for an addition, "Inst NAME [OLD] (VERSION …" for an upgrade.
    planned = [line.split() for line in done.stdout.splitlines() if line.startswith("Inst ")]
    packages = [f"{words[1]}={words[2][1:]}" for words in planned if words[2].startswith("(")]
    if not packages:
        raise SetupError(f"apt-get found no way to install Chromium: see {log}")
    return packages


def _write_launcher(unfinished: Path, folder: Path) -> None:
    libraries = {str(path.parent.relative_to(unfinished)) for path in (unfinished / "tree").rglob("*.so*")}
    places = ":".join(str(folder / each) for each in sorted(libraries) if "chromium" not in each)
    launcher = unfinished / "chromium"
    launcher.write_text(
        f"#!/bin/sh\nexport LD_LIBRARY_PATH='{places}'\n"
        f"export XDG_DATA_DIRS='{folder}/tree/usr/share':${{XDG_DATA_DIRS:-/usr/share}}\n"
        f"exec '{folder}/tree/usr/lib/chromium/chromium' \"$@\"\n",
        encoding="utf-8",
    )
    launcher.chmod(0o755)


def _run(command: list[str], log: Path, environment: dict[str, str] | None = None, folder: Path | None = None) -> int:
    with log.open("ab") as file:
        file.write(f"$ {' '.join(command)}\n".encode())
        file.flush()
        try:
            return subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=_APT_DEADLINE_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            file.write(b"took too long\n")
            return 1
