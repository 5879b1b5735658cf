"""Another framework's environment and process, with a stand-in for the framework."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.peers import peer as peers
from benchmarks.peers.peer import ALL, VARIANTS, NoPeer, Peer, install, running

_SERVER = """
import os, socket, time
listener = socket.create_server(("127.0.0.1", int(os.environ["PEER_PORT"])))
while True:
    listener.accept()[0].close()
"""


@dataclass(frozen=True, slots=True)
class StandIn(Peer):
    folder: Path = Path()

    @property
    def requirements(self) -> Path:
        return self.folder / "needs.txt"

    @property
    def server(self) -> Path:
        return self.folder / "server.py"


def _stand_in(folder: Path, *, needs: str = "", server: str = _SERVER) -> StandIn:
    (folder / "needs.txt").write_text(needs)
    (folder / "server.py").write_text(server)
    return StandIn("stand-in", "stand-in 1.0", {"default": 100}, folder)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that is this one, with a stamp that says it is complete."""
    home = tmp_path / "peers" / "stand-in"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    (home / ".installed").write_text(hashlib.sha256(b"").hexdigest())
    monkeypatch.setattr(peers, "PEERS", tmp_path / "peers")
    monkeypatch.setattr(install, "__defaults__", (tmp_path / "peers",))
    return tmp_path


@pytest.mark.parametrize("peer", ALL.values(), ids=lambda peer: peer.name)
def test_every_package_of_a_peer_has_an_exact_version(peer: Peer) -> None:
    lines = [line for line in peer.requirements.read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) > 50
    assert all(line.count("==") == 1 for line in lines)
    assert f"=={peer.title.split()[-1]}" in peer.requirements.read_text()
    assert set(peer.patience_ms) == set(VARIANTS)
    assert peer.server.exists()


def test_what_is_installed_is_not_installed_again(installed: Path) -> None:
    assert install(_stand_in(installed)) == installed / "peers" / "stand-in" / "bin" / "python"


def test_a_peer_that_cannot_be_installed_says_so_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoPeer, match=r"stand-in 1\.0 cannot be installed") as refused:
        install(_stand_in(tmp_path, needs="./there-is-no-such-folder\n"), tmp_path / "peers")
    assert "\n" not in str(refused.value)


def test_it_runs_until_the_block_ends_and_says_how_long_it_took_to_listen(installed: Path) -> None:
    with running(_stand_in(installed), "default", speech_url="http://127.0.0.1:1", core=None) as peer:
        assert Path(f"/proc/{peer.pid}").exists()
        assert peer.start_ms > 0
    assert not Path(f"/proc/{peer.pid}").exists()


def test_one_that_does_not_start_is_refused_with_what_it_said(installed: Path) -> None:
    broken = _stand_in(installed, server="raise SystemExit('no such thing')")
    with (
        pytest.raises(NoPeer, match=r"does not start .*no such thing"),
        running(broken, "default", speech_url="http://127.0.0.1:1", core=None),
    ):
        pass
