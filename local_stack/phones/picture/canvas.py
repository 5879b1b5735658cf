"""A sheet to draw on in logical pixels, at twice the resolution, so that a picture is sharp when it is enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

SCALE: Final = 2
_WIDE_FONTS: Final = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf", "arialuni.ttf")
"""Tried for letters that the built-in font does not have."""
_UNKNOWN: Final = "\u0fff"
_ELLIPSIS: Final = "…"

_LEADING: Final = 1.25

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Style:
    """How a text looks; the size is in logical pixels."""

    size: int
    colour: str


@lru_cache
def _built_in(size: int) -> Font:
    return ImageFont.load_default(size * SCALE)


@lru_cache
def _wide(size: int) -> Font | None:
    for name in _WIDE_FONTS:
        try:
            return ImageFont.truetype(name, size * SCALE)
        except OSError:
            continue
    return None


@lru_cache(maxsize=4096)
def _is_known(letter: str) -> bool:
    font = _built_in(16)
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask(_UNKNOWN))


def _font_for(text: str, size: int) -> Font:
    if all(map(_is_known, text)):
        return _built_in(size)
    return _wide(size) or _built_in(size)


class Canvas:
    """White at first. All measures are logical pixels from the upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * SCALE, height * SCALE), "white")
        self._draw = ImageDraw.Draw(self._image)

    def box(self, left: float, top: float, right: float, bottom: float, colour: str, *, radius: float = 0) -> None:
        """A filled rectangle, at least one pixel wide."""
        right = max(right, left + 0.5)
        corners = [edge * SCALE for edge in (left, top, right, bottom)]
        self._draw.rounded_rectangle(corners, radius * SCALE, fill=colour)

    def line(self, left: float, top: float, right: float, bottom: float, colour: str, *, width: float = 1) -> None:
        ends = [edge * SCALE for edge in (left, top, right, bottom)]
        self._draw.line(ends, fill=colour, width=max(1, round(width * SCALE)))

    def dotted(self, x: float, top: float, bottom: float, colour: str) -> None:
        """A vertical line of dots."""
        y = top
        while y < bottom:
            self.line(x, y, x, min(y + 3, bottom), colour)
            y += 6

    def polygon(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        edges = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE]
        self._draw.ellipse(edges, fill=colour)

    def column(self, x: float, middle: float, reach: float, colour: str) -> None:
        """One column of a waveform, a physical pixel wide, the same way up and down."""
        self._draw.line([x * SCALE, (middle - reach) * SCALE, x * SCALE, (middle + reach) * SCALE], fill=colour)

    def text(self, left: float, top: float, text: str, size: int, colour: str, *, anchor: str = "la") -> float:
        """Writes one line and says how wide it is. `anchor` as Pillow's."""
        font = _font_for(text, size)
        self._draw.text((left * SCALE, top * SCALE), text, fill=colour, font=font, anchor=anchor)
        return self.width_of(text, size)

    def width_of(self, text: str, size: int) -> float:
        return float(_font_for(text, size).getlength(text)) / SCALE

    def paragraph(self, left: float, top: float, text: str, *, style: Style, width: float, lines: int) -> float:
        """Wraps a text into so many lines at most, the rest as an ellipsis; says where the next line would begin."""
        for line in self._wrapped(text, width, style.size, lines):
            self.text(left, top, line, style.size, style.colour)
            top += style.size * _LEADING
        return top

    def _wrapped(self, text: str, width: float, size: int, lines: int) -> list[str]:
        rows: list[str] = []
        for word in text.split():
            longer = f"{rows[-1]} {word}" if rows else word
            if rows and self.width_of(longer, size) <= width:
                rows[-1] = longer
            elif len(rows) < lines:
                rows.append(word)
            else:
                rows[-1] += _ELLIPSIS
                break
        return rows

    def save(self, path: Path) -> None:
        """As PNG."""
        self._image.quantize(256).save(path, format="PNG", optimize=True)
