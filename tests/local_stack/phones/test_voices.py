from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_stack.phones.voices import NoVoices, fitting_speeches, read_index


def test_those_of_a_fitting_length_come_first_in_their_order(tmp_path: Path) -> None:
    entries = [("a", "Long statement.", 9.0), ("b", "A statement.", 2.0), ("c", "Short?", 0.4), ("d", "Fits?", 3.0)]
    index = [{"id": i, "file": f"{i}.wav", "text": t, "rate": 8000, "seconds": s} for i, t, s in entries]
    (tmp_path / "index.json").write_text(json.dumps(index))
    chosen = fitting_speeches(read_index(tmp_path), 3)
    assert [voice.file for voice in chosen] == [tmp_path / "b.wav", tmp_path / "d.wav", tmp_path / "a.wav"]


def test_a_missing_or_broken_index_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(NoVoices, match="no recorded voices"):
        read_index(tmp_path)
    (tmp_path / "index.json").write_text('[{"file": 1}]')
    with pytest.raises(NoVoices, match="cannot be read"):
        read_index(tmp_path)
