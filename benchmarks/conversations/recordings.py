"""Recorded people and things, from packages of the operating system's archive that are named by their hash."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from local_stack.speech.audio import Pcm, read_wav

RATE_HZ = 8000
Track = npt.NDArray[np.float64]
"""Samples in the range of 16 bits at `RATE_HZ`."""


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package with recordings. Licences: CC-BY-SA-3.0, BSD-2-Clause, GPL-2."""

    name: str
    version: str
    sha256: str
    folder: str


PROMPTS = Package(
    "asterisk-core-sounds-en-wav",
    "1.6.1-1",
    "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
    "usr/share/asterisk/sounds/en_US_f_Allison",
)
READINGS = Package(
    "pocketsphinx-testdata",
    "0.8+5prealpha+1-15",
    "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0",
    "usr/share/pocketsphinx/test/data",
)
KEYBOARD = Package(
    "bucklespring-data",
    "1.4.0-2",
    "2add9f5583b3afc9c0b528066f4578baff930b74d4a94c8a25d103ef79a444e5",
    "usr/share/buckle/wav",
)


def unpacked(package: Package, folder: Path) -> Path:
    """The folder of its recordings, which is fetched once. Raises: SystemExit if it cannot be had."""
    target = folder / package.name
    if not (target / package.folder).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", f"{package.name}={package.version}"], folder)
        archive = next(folder.glob(f"{package.name}_*.deb"), None)
        if archive is None or hashlib.sha256(archive.read_bytes()).hexdigest() != package.sha256:
            raise SystemExit(f"{package.name} {package.version} is not what it was when this was written")
        _run(["dpkg-deb", "--extract", archive.name, package.name], folder)
        archive.unlink()
    return target / package.folder


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"{' '.join(command)} failed; the recordings are Debian packages: {error}") from error


@cache
def read(path: Path) -> Track:
    """A WAV file at the rate of the telephone."""
    return at_rate(read_wav(path.read_bytes()))


def at_rate(pcm: Pcm) -> Track:
    """Any sound at the rate of the telephone."""
    return np.asarray(pcm.at(RATE_HZ).samples, np.float64) * 32768


def trimmed(track: Track, threshold: float = 150.0) -> Track:
    """Without the silence at both ends."""
    block = RATE_HZ // 100
    loud = [index for index in range(0, len(track), block) if rms(track[index : index + block]) > threshold]
    return track[loud[0] : loud[-1] + block] if loud else track[:0]


def rms(track: Track) -> float:
    """The root of the mean square; 0 for nothing."""
    return float(np.sqrt(np.mean(np.square(track)))) if len(track) else 0.0


def at_level(track: Track, level_dbfs: float) -> Track:
    """Scaled so that its loud parts (the upper half of its blocks of 20 ms) have this level."""
    block = RATE_HZ // 50
    blocks = sorted(rms(track[index : index + block]) for index in range(0, len(track), block))
    loud = rms(np.array(blocks[len(blocks) // 2 :]))
    return track * (32768 * 10 ** (level_dbfs / 20) / max(loud, 1.0))
