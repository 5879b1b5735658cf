"""The real server: made once, reached from this machine, safe against a crash, one to a folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from local_stack.postgres.account import Account, choose_account
from local_stack.postgres.cluster import Cluster, ClusterError, installed_programs
from tests.local_stack.running_part import end, free_ports, running, until

pytestmark = pytest.mark.slow


def _connect(port: int) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(f"postgresql://voice@127.0.0.1:{port}/voice", connect_timeout=5)


def _answers(port: int) -> bool:
    try:
        _connect(port).close()
    except psycopg.OperationalError:
        return False
    return True


def test_data_survives_a_crash_and_a_clean_stop(tmp_path: Path) -> None:
    [port] = free_ports(1)
    command = ("local_stack.postgres", "--port", port, "--state-dir", tmp_path)
    with running(*command) as server:
        until(lambda: _answers(port))
        with _connect(port) as database:
            facts = database.execute(
                "select current_user, current_database(), getdatabaseencoding(), upper('é')"
            ).fetchone()
            assert facts == ("voice", "voice", "UTF8", "É")
            database.execute("create table kept (word text)")
            database.execute("insert into kept values ('still here')")
        end(server, signal.SIGKILL)
    with running(*command) as server:
        until(lambda: _answers(port))
        with _connect(port) as database:
            assert database.execute("select word from kept").fetchall() == [("still here",)]
        assert end(server) == 0


def test_a_stale_lock_of_a_reused_process_number_does_not_matter(tmp_path: Path) -> None:
    [port] = free_ports(1)
    command = ("local_stack.postgres", "--port", port, "--state-dir", tmp_path)
    with running(*command) as server:
        until(lambda: _answers(port))
        lock = (tmp_path / "data" / "postmaster.pid").read_text()
        end(server, signal.SIGKILL)
    lines = lock.splitlines()
    (tmp_path / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with running(*command):
        until(lambda: _answers(port))


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first, second = free_ports(2)
    with running("local_stack.postgres", "--port", first, "--state-dir", tmp_path):
        until(lambda: _answers(first))
        with running("local_stack.postgres", "--port", second, "--state-dir", tmp_path) as other:
            assert other.wait(20) == 1
            assert other.stdout is not None
            assert "another PostgreSQL (process " in other.stdout.read()
        assert _answers(first)


def test_a_taken_port_is_status_2_and_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with running("local_stack.postgres", "--port", port, "--state-dir", tmp_path) as server:
            assert server.wait(20) == 2
            assert server.stdout is not None
            line = f"port {port} for postgres is taken by another program: set LOCAL_POSTGRES_PORT to a free one\n"
            assert server.stdout.read() == line
    assert not (tmp_path / "data").exists()


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ClusterError, match=r"the data is of PostgreSQL 9, .* run make clean"):
        Cluster(tmp_path, choose_account(), installed_programs()).prepare()


def test_an_interrupted_creation_is_begun_again(tmp_path: Path) -> None:
    half = tmp_path / "data.new"
    half.mkdir()
    (half / "rubbish").touch()
    Cluster(tmp_path, choose_account(), installed_programs()).prepare()
    assert (tmp_path / "data" / "PG_VERSION").exists()
    assert not half.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_without_user_namespaces_the_server_works_where_nobody_can_enter(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    account = Account("other_user", nobody.pw_uid, nobody.pw_gid)
    cluster = Cluster(hidden, account, installed_programs())
    [port] = free_ports(1)
    try:
        cluster.prepare()
        server = subprocess.Popen(cluster.server_command(port), stderr=subprocess.DEVNULL)
        try:
            until(lambda: _answers(port))
            assert Path(f"/proc/{server.pid}").stat().st_uid == nobody.pw_uid
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(10)
    finally:
        if cluster.data_dir.is_symlink():
            shutil.rmtree(cluster.data_dir.resolve().parent)
