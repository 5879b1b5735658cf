"""What a person on the talk page sees of how long each answer took, whatever the app tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.browser import Tab, browser_tab, chromium_path
from tests.end_to_end.lone_page import STATIC, LonePage, lone_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.end_to_end,
    pytest.mark.skipif(chromium_path() is None, reason="Chromium is not installed"),
    pytest.mark.skipif(not STATIC.is_dir(), reason="the talk page has not been built"),
]

QUICK = {
    "total_ms": 543.1,
    "parts_ms": {"decision": 540.0, "transcript": 0.0, "first_token": 0.0, "first_frame_sent": 3.1},
    "prepared_ms": {"transcript": 330.0, "first_token": 130.0},
    "speculation": True,
}
SLOW = {
    "total_ms": 2000.0,
    "parts_ms": {"decision": 500.0, "transcript": 100.0, "first_token": 1300.0, "first_frame_sent": 100.0},
    "prepared_ms": {},
    "speculation": False,
    "filler_ms": 1500.0,
}


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    async with browser_tab(tmp_path / "profile") as tab:
        yield tab


@pytest.fixture
async def page(tab: Tab) -> AsyncIterator[LonePage]:
    async with lone_page(tab) as page:
        yield page


async def exchange(page: LonePage, turn: int, latency: dict[str, Any] | None, **costs: float) -> None:
    await page.say({"type": "heard", "turn": turn, "text": "How long?"})
    await page.say({"type": "said", "turn": turn, "text": "Not long."})
    await page.say({"type": "turn", "turn": turn, "latency": latency, "costs": costs})


async def bars(tab: Tab) -> list[list[list[Any]]]:
    """Of each bar its parts: stage and share of the bar's whole room, in hundredths."""
    return list(
        await tab.evaluate(
            "[...document.querySelectorAll('.bar')].map(bar => [...bar.querySelectorAll('.part')].map(part =>"
            " [part.dataset.stage, Math.round(100 * part.offsetWidth / bar.offsetWidth)]))"
        )
    )


async def test_bars_are_drawn_to_one_scale_between_the_words(tab: Tab, page: LonePage) -> None:
    await page.say({"type": "said", "turn": 0, "text": "Good day."})
    await page.say({"type": "turn", "turn": 0, "latency": None, "costs": {}})
    await exchange(page, 1, QUICK)
    await tab.wait_for("document.querySelectorAll('.wait').length == 1", within_s=5)
    assert await bars(tab) == [[["decision", 53], ["first_frame_sent", 1]]]
    await exchange(page, 2, SLOW)
    await tab.wait_for("document.querySelectorAll('.wait').length == 2", within_s=5)
    quick, slow = await bars(tab)
    assert [stage for stage, _ in quick] == ["decision", "first_frame_sent"]
    assert [share for _, share in [*quick, *slow]] == pytest.approx([27, 1, 25, 5, 65, 5], abs=1)
    in_order = "[...document.querySelector('li[data-turn=\"2\"]').children].map(part => part.className)"
    assert await tab.evaluate(in_order) == ["words caller", "wait", "words agent"]
    assert await tab.evaluate("document.querySelector('#legend').checkVisibility()")
    assert await tab.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert not tab.console


async def test_a_bar_opens_into_a_table_with_the_keyboard(tab: Tab, page: LonePage) -> None:
    await exchange(page, 1, QUICK, takes_withdrawn=1)
    await tab.wait_for("!!document.querySelector('.wait')", within_s=5)
    assert "Answered after 543 ms" in await tab.evaluate("document.querySelector('.wait summary').textContent")
    assert not await tab.evaluate("document.querySelector('.wait table').checkVisibility()")
    await tab.evaluate("document.querySelector('.wait summary').focus()")
    for kind in ("keyDown", "keyUp"):
        await tab.send(
            "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13
        )
    await tab.wait_for("document.querySelector('.wait table').checkVisibility()", within_s=5)
    rows = "[...document.querySelectorAll('.wait tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    assert await tab.evaluate(rows) == [
        ["Stage", "Waited", "Ready before"],
        ["Turn decided", "540 ms", ""],
        ["Words understood", "0 ms", "330 ms"],
        ["Answer begun", "0 ms", "130 ms"],
        ["Sent to you", "3 ms", ""],
        ["Together", "543 ms", ""],
    ]
    assert "1 prepared answer was thrown away" in await tab.text(".wait")


async def test_a_fuller_account_of_a_turn_takes_the_place_of_the_first(tab: Tab, page: LonePage) -> None:
    await exchange(page, 1, QUICK)
    await tab.wait_for("!!document.querySelector('.wait')", within_s=5)
    await tab.evaluate("document.querySelector('.wait').open = true")
    await page.say({"type": "turn", "turn": 1, "latency": SLOW, "costs": {"fillers": 1}})
    await tab.wait_for("document.querySelector('.wait').innerText.includes('2000 ms')", within_s=5)
    assert await tab.evaluate("[...document.querySelectorAll('.wait')].map(wait => wait.open)") == [True]
    assert "A filler was spoken after" in await tab.text(".wait")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_parts_can_be_told_apart_from_their_ground(tab: Tab, page: LonePage, theme: str) -> None:
    await tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    await exchange(page, 1, QUICK)
    await tab.wait_for("!!document.querySelector('.wait')", within_s=5)
    colours = await tab.evaluate(
        "[...document.querySelectorAll('#legend .swatch'), document.querySelector('.conversation')]"
        ".map(part => getComputedStyle(part).backgroundColor.match(/\\d+/g).map(Number))"
    )
    *stages, ground = [_luminance(colour) for colour in colours]
    assert len({tuple(colour) for colour in colours}) == 7
    assert all(_contrast(stage, ground) >= 3 for stage in stages)


def _luminance(colour: list[int]) -> float:
    """Source: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
