"""Draws a call: rows of two tracks, the steps of each answer between them, the words beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones import g711
from local_stack.phones.picture.canvas import SCALE, Canvas, Style
from local_stack.phones.picture.rows import Row, rows_of
from local_stack.phones.picture.scene import HEARD, PASSED_ON, STEPS, Answer, Scene, Sound

WIDTH: Final = 1800
_LEFT, _RIGHT = 96, 36
_HEAD, _FOOT = 84, 52
_AXIS, _CALLER_WORDS, _TRACK, _LANE, _AGENT_WORDS, _GAP = 26, 46, 96, 20, 66, 30
_LANES = len(STEPS) + 2
_STEPS_HEIGHT = _LANES * _LANE + 12
_ROW = _AXIS + _CALLER_WORDS + _TRACK + _STEPS_HEIGHT + _TRACK + _AGENT_WORDS + _GAP

_FLATTER: Final = 0.85

INK, DIM, GRID, PANEL = "#1f2937", "#6b7280", "#dfe5ee", "#f5f7fb"
CALLER, CALLER_LIGHT, AGENT, AGENT_LIGHT = "#2563eb", "#a9c3fb", "#0b8a5f", "#93d9be"
CUT, CUT_LIGHT, MURMUR, MURMUR_LIGHT = "#dc2626", "#fde3e3", "#b45309", "#fdeecb"
STEP_COLOURS: Final = {
    PASSED_ON: "#334155",
    "words known": "#6366f1",
    "first token": "#9333ea",
    "first sound made": "#d946ef",
    "turn over": "#f59e0b",
    "first frame sent": "#0ea5e9",
    HEARD: AGENT,
}


@dataclass(frozen=True)
class _Place:
    """Where a row lies on the sheet, and where its parts are."""

    row: Row
    top: float
    px_per_s: float

    def x(self, at_s: float) -> float:
        return _LEFT + (at_s - self.row.begins_s) * self.px_per_s

    def holds(self, at_s: float | None) -> bool:
        return at_s is not None and self.row.begins_s <= at_s < self.row.ends_s

    def meets(self, begins_s: float, ends_s: float) -> bool:
        return begins_s < self.row.ends_s and ends_s > self.row.begins_s

    def clipped(self, begins_s: float, ends_s: float) -> tuple[float, float]:
        return self.x(max(begins_s, self.row.begins_s)), self.x(min(ends_s, self.row.ends_s))

    @property
    def end_x(self) -> float:
        return self.x(self.row.ends_s)

    @property
    def words_top(self) -> float:
        return self.top + _AXIS

    @property
    def caller_top(self) -> float:
        return self.words_top + _CALLER_WORDS

    @property
    def steps_top(self) -> float:
        return self.caller_top + _TRACK + 6

    @property
    def agent_top(self) -> float:
        return self.caller_top + _TRACK + _STEPS_HEIGHT

    @property
    def bottom(self) -> float:
        return self.agent_top + _TRACK


def draw(scene: Scene) -> Canvas:
    """The whole picture."""
    rows = rows_of(scene.seconds, [speech.begins_s for speech in scene.speeches])
    canvas = Canvas(WIDTH, _HEAD + len(rows) * _ROW + _FOOT)
    canvas.text(_LEFT, 22, scene.title, 24, INK)
    canvas.text(_LEFT, 54, f"{scene.seconds:.1f} s · {scene.verdict}", 16, DIM)
    px_per_s = (WIDTH - _LEFT - _RIGHT) / max(row.seconds for row in rows)
    for index, row in enumerate(rows):
        _draw_row(canvas, scene, _Place(row, _HEAD + index * _ROW, px_per_s))
    _draw_legend(canvas, canvas.height - 34)
    return canvas


def _draw_row(canvas: Canvas, scene: Scene, place: _Place) -> None:
    for top, name, colour in ((place.caller_top, "caller", CALLER), (place.agent_top, "agent", AGENT)):
        canvas.box(_LEFT, top, place.end_x, top + _TRACK, PANEL, radius=4)
        canvas.text(_LEFT - 14, top + _TRACK / 2, name, 17, colour, anchor="rm")
    _draw_bands(canvas, scene, place)
    _draw_axis(canvas, place)
    _draw_sound(canvas, place, scene.caller, top=place.caller_top, colours=(CALLER, CALLER_LIGHT))
    _draw_sound(canvas, place, scene.agent, top=place.agent_top, colours=(AGENT, AGENT_LIGHT))
    for answer in scene.answers:
        _draw_steps(canvas, answer, place)
    _draw_signs(canvas, scene, place)
    _draw_caller_words(canvas, scene, place)
    _draw_agent_words(canvas, scene, place)


def _draw_axis(canvas: Canvas, place: _Place) -> None:
    first, last = int(np.ceil(place.row.begins_s)), int(np.floor(place.row.ends_s))
    for second in range(first, last + 1):
        x = place.x(second)
        canvas.line(x, place.top + 18, x, place.bottom, GRID)
        canvas.text(x, place.top, f"{second} s", 13, DIM, anchor="ma")


def _draw_sound(canvas: Canvas, place: _Place, sound: Sound, *, top: float, colours: tuple[str, str]) -> None:
    """The mean level in the first colour, peaks in the second."""
    colour, light = colours
    begin, end = (round(at_s * g711.SAMPLE_RATE_HZ) for at_s in (place.row.begins_s, place.row.ends_s))
    columns = max(1, round(place.row.seconds * place.px_per_s * SCALE))
    peaks, levels = envelope(sound[begin:end], columns, loudest(sound))
    middle, reach = top + _TRACK / 2, _TRACK / 2 - 4
    canvas.line(_LEFT, middle, place.end_x, middle, light)
    for index in range(len(peaks)):
        x = _LEFT + index / SCALE
        canvas.column(x, middle, peaks[index] * reach, light)
        canvas.column(x, middle, levels[index] * reach, colour)


def loudest(sound: Sound) -> float:
    """What fills the track's height: the loudest of the sound but for single clicks, and never mere noise."""
    return max(2000.0, float(np.percentile(np.abs(sound.astype(np.float64)), 99.98))) if len(sound) else 2000.0


def envelope(sound: Sound, columns: int, full: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Peak and mean level (0..1) of each column; quiet sound is drawn a little larger than it is."""
    edges = np.linspace(0, len(sound), columns + 1).astype(int)
    levels = np.abs(sound.astype(np.float64)) / full
    parts = [levels[begin : max(end, begin + 1)] for begin, end in pairwise(edges)]
    peaks = np.array([part.max(initial=0.0) for part in parts])
    means = np.array([part.mean() if len(part) else 0.0 for part in parts])
    return np.clip(peaks, 0, 1) ** _FLATTER, np.clip(means, 0, 1) ** _FLATTER


def _draw_bands(canvas: Canvas, scene: Scene, place: _Place) -> None:
    """Behind the tracks: interruptions and murmurs, with what came of them."""
    for cut in scene.cuts:
        if place.meets(cut.begins_s, cut.silent_s):
            left, right = place.clipped(cut.begins_s, cut.silent_s)
            canvas.box(left, place.caller_top, right, place.bottom, CUT_LIGHT)
            canvas.line(left, place.caller_top, left, place.bottom, CUT, width=1.5)
            how = "cleared" if cut.by_clear else "silent"
            _note(canvas, place, (left, right), f"interrupts · {how} after {cut.stop_ms:.0f} ms", CUT)
    for murmur in scene.murmurs:
        if place.meets(murmur.begins_s, murmur.ends_s):
            left, right = place.clipped(murmur.begins_s, max(murmur.ends_s, murmur.resumed_s or 0.0))
            canvas.box(left, place.caller_top, right, place.bottom, MURMUR_LIGHT)
            canvas.line(left, place.caller_top, left, place.bottom, MURMUR, width=1.5)
            _note(canvas, place, (left, right), f"{murmur.label} · {murmur.outcome}", MURMUR)


def _note(canvas: Canvas, place: _Place, band: tuple[float, float], text: str, colour: str) -> None:
    """To the right of a band, or to its left where the row ends there."""
    left, right = band
    width = canvas.width_of(text, 14)
    x = right + 7 if right + 7 + width < WIDTH - 8 else left - 7 - width
    canvas.text(x, place.steps_top, text, 14, colour)


def _draw_steps(canvas: Canvas, answer: Answer, place: _Place) -> None:
    """A bar for each step, from the caller's last word; the later, the lower."""
    if answer.from_s is None or not answer.steps:
        return
    if place.holds(answer.from_s):
        x = place.x(answer.from_s)
        canvas.dotted(x, place.caller_top, place.steps_top + _LANES * _LANE, DIM)
    for lane, step in enumerate(sorted(answer.steps, key=lambda each: each.at_s)):
        begins_s, ends_s = sorted((answer.from_s, step.at_s))
        if not place.meets(begins_s, max(ends_s, begins_s + 0.001)):
            continue
        left, right = place.clipped(begins_s, ends_s)
        y, colour = place.steps_top + lane * _LANE, STEP_COLOURS[step.name]
        canvas.box(left, y + 5, right, y + 13, colour, radius=3)
        if place.holds(step.at_s):
            canvas.dot(place.x(step.at_s), y + 9, 5, colour)
            canvas.text(place.x(max(begins_s, ends_s)) + 9, y + 1, f"{step.name} {step.after_ms:.0f}", 14, colour)
            if step.name == HEARD:
                canvas.dotted(place.x(step.at_s), y + 14, place.bottom, AGENT)


def _draw_signs(canvas: Canvas, scene: Scene, place: _Place) -> None:
    """Clears and fillers above the agent's track, marks below it."""
    for at_s in filter(place.holds, scene.clears_s):
        _triangle(canvas, place.x(at_s), place.agent_top - 1, 7, CUT)
    for filler_s in (answer.filler_s for answer in scene.answers):
        if filler_s is not None and place.holds(filler_s):
            _triangle(canvas, place.x(filler_s), place.agent_top - 1, 7, MURMUR)
            canvas.text(place.x(filler_s) + 10, place.agent_top - 17, "filler", 13, MURMUR)
    for at_s in filter(place.holds, scene.marks_s):
        x = place.x(at_s)
        canvas.line(x, place.bottom - 9, x, place.bottom, AGENT, width=1.5)


def _triangle(canvas: Canvas, x: float, bottom: float, size: float, colour: str) -> None:
    canvas.polygon([(x - size * 0.7, bottom - size), (x + size * 0.7, bottom - size), (x, bottom)], colour)


def _draw_caller_words(canvas: Canvas, scene: Scene, place: _Place) -> None:
    own = [speech for speech in scene.speeches if place.holds(speech.begins_s)]
    for index, speech in enumerate(own):
        left = place.x(speech.begins_s)
        following = own[index + 1].begins_s if index + 1 < len(own) else place.row.ends_s
        width = max(220.0, place.x(following) - left - 16)
        words = speech.heard or speech.words
        shown = f"“{words}”" if words else "(not understood)"
        y = canvas.paragraph(left, place.words_top, shown, style=Style(17, CALLER), width=width, lines=1)
        if speech.words and speech.heard and _plain(speech.words) != _plain(speech.heard):
            canvas.paragraph(left, y, f"spoken: “{speech.words}”", style=Style(14, DIM), width=width, lines=1)


def _plain(words: str) -> str:
    return "".join(letter for letter in words.lower() if letter.isalnum() or letter == " ").strip()


def _draw_agent_words(canvas: Canvas, scene: Scene, place: _Place) -> None:
    own = [answer for answer in scene.answers if answer.begins_s is not None and place.holds(answer.begins_s)]
    begin_s = [answer.begins_s or 0.0 for answer in own]
    for index, answer in enumerate(own):
        left = place.x(begin_s[index])
        following = begin_s[index + 1] if index + 1 < len(own) else place.row.ends_s
        width = max(220.0, place.x(following) - left - 18)
        note = "" if answer.outcome in ("", "completed") else f"  ({answer.outcome})"
        if answer.words:
            y = canvas.paragraph(
                left, place.bottom + 7, f"“{answer.words}”{note}", style=Style(16, AGENT), width=width, lines=2
            )
            canvas.text(left, y, answer.took, 14, DIM)


def _draw_legend(canvas: Canvas, y: float) -> None:
    x: float = _LEFT
    for name, colour in _legend():
        canvas.dot(x + 5, y + 8, 5, colour)
        x += 16 + canvas.text(x + 16, y, name, 14, DIM) + 22
    for name, colour in (("clear", CUT), ("filler", MURMUR)):
        _triangle(canvas, x + 6, y + 12, 8, colour)
        x += 18 + canvas.text(x + 18, y, name, 14, DIM) + 22
    canvas.line(x + 4, y + 2, x + 4, y + 14, AGENT, width=1.5)
    x += 14 + canvas.text(x + 14, y, "mark: heard up to here", 14, DIM) + 22
    canvas.text(x, y, "numbers: ms after the caller's last word", 14, DIM)


def _legend() -> Iterable[tuple[str, str]]:
    return STEP_COLOURS.items()
