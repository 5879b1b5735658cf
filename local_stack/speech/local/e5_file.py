"""The file in which a mirror keeps multilingual-e5-small: vocabulary, replacements of letters, weights in four bits.

All numbers are little-endian. Weights stand in blocks of 32: a scale (float16), then 16 bytes with two numbers each,
the low halves first, 8 being nought. Source: https://github.com/ggml-org/ggml, `block_q4_0`
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_IN_A_BLOCK = 32

Floats = np.ndarray[Any, np.dtype[np.float32]]
Blocks = np.ndarray[Any, np.dtype[np.void]]


@dataclass(frozen=True, slots=True)
class E5File:
    """`vocabulary`: pieces with their scores. `replacements`: what letters are read as. `tensors`: place and bytes of
    each, by name, in `content`.
    """

    width: int
    layers: int
    heads: int
    epsilon: float
    first: int
    last: int
    unknown: int
    vocabulary: list[tuple[str, float]]
    replacements: dict[int, str]
    content: Any
    tensors: dict[str, tuple[int, int, int]]

    def floats(self, name: str) -> Floats:
        """A tensor's numbers in a row, whichever way they are kept."""
        count, place, length = self.tensors[name]
        if length == 4 * count:
            return np.frombuffer(self.content, "<f4", count, place).astype(np.float32)
        return unpacked(self.rows(name)).reshape(-1)

    def rows(self, name: str) -> Blocks:
        """A tensor in four bits as it is: (rows, blocks of the model's width)."""
        count, place, _ = self.tensors[name]
        found = np.frombuffer(self.content, _BLOCK, count // _IN_A_BLOCK, place)
        return found.reshape(-1, self.width // _IN_A_BLOCK)


def unpacked(blocks: Blocks) -> Floats:
    """The 32 numbers of each block."""
    halves = blocks["halves"]
    numbers = np.concatenate([halves & 15, halves >> 4], axis=-1).astype(np.float32) - 8
    return np.asarray(numbers * blocks["scale"].astype(np.float32)[..., np.newaxis])


def read_e5_file(path: Path) -> E5File:
    """Only what is asked for is brought into memory. Raises: ValueError for a file of another form."""
    content = np.memmap(path, np.uint8, "r")
    reading = _Reading(content)
    if reading.bytes(4) != _MAGIC:
        raise ValueError(f"{path} is no such file")
    _, width, layers, heads, *_ = reading.numbers("<8i")
    epsilon, in_a_block = reading.numbers("<fi")
    if in_a_block != _IN_A_BLOCK:
        raise ValueError(f"{path} has blocks of {in_a_block}")
    pieces, first, last, _, unknown, letters = reading.numbers("<5iQ")
    places = np.frombuffer(reading.bytes(4 * (pieces + 1)), "<u4").tolist()
    scores = np.frombuffer(reading.bytes(4 * pieces), "<f4").tolist()
    text = reading.bytes(letters)
    vocabulary = [
        (text[begin:end].decode("utf-8", "replace"), score)
        for begin, end, score in zip(places, places[1:], scores, strict=False)
    ]
    return E5File(
        width=width,
        layers=layers,
        heads=heads,
        epsilon=epsilon,
        first=first,
        last=last,
        unknown=unknown,
        vocabulary=vocabulary,
        replacements=_replacements(reading),
        content=content,
        tensors=_tensors(reading),
    )


class _Reading:
    """Goes through the file from its beginning."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self._place = 0

    def bytes(self, length: int) -> bytes:
        found = bytes(self._content[self._place : self._place + length])
        self._place += length
        if len(found) < length:
            raise ValueError("the file ends too soon")
        return found

    def numbers(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.bytes(struct.calcsize(form)))


def _replacements(reading: _Reading) -> dict[int, str]:
    count, length = reading.numbers("<iI")
    own = _Reading(np.frombuffer(reading.bytes(length), np.uint8))
    found = {}
    for _ in range(count):
        letter, letters = own.numbers("<IB")
        found[letter] = "".join(map(chr, own.numbers(f"<{letters}I")))
    return found


def _tensors(reading: _Reading) -> dict[str, tuple[int, int, int]]:
    (count,) = reading.numbers("<i")
    found = {}
    for _ in range(count):
        (letters,) = reading.numbers("<H")
        name = reading.bytes(letters).decode("ascii")
        _, size, place, length = reading.numbers("<BIQQ")
        found[name] = (size, place, length)
    return found
