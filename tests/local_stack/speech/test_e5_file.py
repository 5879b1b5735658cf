"""The file of a model that is read as data: what its four bits mean, and what is no such file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from local_stack.speech.local.e5_file import read_e5_file, unpacked


def test_four_bits_are_numbers_from_minus_eight_times_their_scale() -> None:
    block = np.array([(0.5, list(range(16)))], np.dtype([("scale", "<f2"), ("halves", "u1", 16)]))
    numbers = unpacked(block)
    assert numbers.shape == (1, 32)
    assert numbers[0, :16].tolist() == [(low - 8) / 2 for low in range(16)]
    assert numbers[0, 16:].tolist() == [-4.0] * 16


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"GGUF" + bytes(60), "no such file"), (b"E5S1" + bytes(40), "blocks of 0"), (b"E5S1", "ends too soon")],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=problem):
        read_e5_file(path)
