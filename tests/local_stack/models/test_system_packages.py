"""Voices out of packages of the operating system, with a package and an `apt-get` made for the test."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest

from local_stack.models.delivery import FetchError, Progress
from local_stack.models.fetcher import Fetcher
from local_stack.models.lockfile import DebianMember, Lock, LockedFile, Upstream
from local_stack.models.system_packages import SystemPackages
from local_stack.models.upstream import Hubs
from tests.local_stack.models.conftest import CONTENT, Hub, sha256

MEMBER = "usr/share/toy/hello.wav"
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="this system has no Debian packages")


def wanted(**more: object) -> LockedFile:
    known: dict[str, object] = {"upstream": None, "debian": None, **more}
    return LockedFile("voices/hello.wav", "voices", sha256(CONTENT), len(CONTENT), "MIT", **known)  # type: ignore[arg-type]


def silent() -> Progress:
    return Progress(len(CONTENT), lambda _: None)


def install_apt_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "apt-get").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")


def build_package(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / MEMBER).parent.mkdir(parents=True)
    (root / MEMBER).write_bytes(CONTENT)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        "Package: toy\nVersion: 2.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: toy\n"
    )
    package = tmp_path / "toy_2.0_all.deb"
    subprocess.run(["dpkg-deb", "--build", str(root), str(package)], check=True, capture_output=True)
    return package


@needs_dpkg
def test_takes_the_member_from_whatever_version_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = build_package(tmp_path)
    asked = tmp_path / "asked"
    script = f'echo "$@" >> {asked}\n[ "$1 $2" = "download toy" ] || exit 100\ncp {package} .'
    install_apt_get(tmp_path, monkeypatch, script)
    source, target = SystemPackages(tmp_path / "archives"), tmp_path / "hello.wav"
    for _ in range(2):
        source.deliver(wanted(debian=DebianMember("toy", "1.0", MEMBER)), target, silent())
    assert target.read_bytes() == CONTENT
    assert asked.read_text().splitlines() == ["download toy=1.0", "download toy"]
    with pytest.raises(FetchError, match="holds no usr/other"):
        source.deliver(wanted(debian=DebianMember("toy", "1.0", "usr/other")), target, silent())


@needs_dpkg
def test_updates_lists_of_its_own_when_the_machine_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = build_package(tmp_path)
    own = "*Dir::State::lists=*"
    script = f'case "$*" in {own}update) ;; {own}download*) cp {package} . ;; *) exit 100 ;; esac'
    install_apt_get(tmp_path, monkeypatch, script)
    target = tmp_path / "hello.wav"
    SystemPackages(tmp_path / "archives").deliver(wanted(debian=DebianMember("toy", "2.0", MEMBER)), target, silent())
    assert target.read_bytes() == CONTENT


@needs_dpkg
def test_what_apt_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_apt_get(tmp_path, monkeypatch, 'echo "E: no such package" >&2; exit 100')
    source = SystemPackages(tmp_path / "archives")
    for _ in range(2):
        with pytest.raises(FetchError, match="toy: E: no such package"):
            source.deliver(wanted(debian=DebianMember("toy", "2.0", MEMBER)), tmp_path / "x", silent())


def test_takes_a_member_out_of_the_publishers_archive(tmp_path: Path, hub: Hub) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        entry = tarfile.TarInfo("./hello.wav")
        entry.size = len(CONTENT)
        archive.addfile(entry, io.BytesIO(CONTENT))
    hub.content = content.getvalue()
    target = tmp_path / "hello.wav"
    Hubs().deliver(wanted(upstream=Upstream(hub.url, "hello.wav")), target, silent())
    assert target.read_bytes() == CONTENT
    with pytest.raises(FetchError, match=r"holds no other\.wav"):
        Hubs().deliver(wanted(upstream=Upstream(hub.url, "other.wav")), target, silent())


def test_two_runs_on_one_folder_take_turns(tmp_path: Path) -> None:
    inside, most = [0], [0]

    class Slow:
        def deliver(self, file: LockedFile, target: Path, progress: Progress) -> None:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            target.write_bytes(CONTENT)
            inside[0] -= 1

    delivered = [Fetcher(tmp_path, lambda _: None, {"slow": Slow()}) for _ in range(4)]
    threads = [threading.Thread(target=fetcher.run, args=(Lock((wanted(),), ()),)) for fetcher in delivered]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert (tmp_path / "voices/hello.wav").read_bytes() == CONTENT
