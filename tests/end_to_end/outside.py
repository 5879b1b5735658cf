"""What a test does from outside: asks the app's API as somebody, and says who is at a number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp

from tests.end_to_end.stack import Stack
from tests.end_to_end.words import edits, words


async def ask(
    stack: Stack,
    token: str,
    method: str,
    path: str,
    *,
    document: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Status and document of the answer."""
    headers = {"Authorization": f"Bearer {token}", **(headers or {})}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, stack.app_url + path, json=document, headers=headers) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text else {}


async def introduce(stack: Stack, number: str, **person: Any) -> None:
    """Says who is at a number that may be dialled."""
    url = f"http://localhost:{stack.ports['phones']}/_local/people/{number}"
    async with aiohttp.ClientSession() as session, session.put(url, json=person) as response:
        assert response.status == 204, await response.text()


def utterances(stack: Stack, voices: Iterable[str]) -> list[dict[str, Any]]:
    return [{"file": voice["file"], "text": voice["text"]} for voice in map(stack.voice, voices)]


def least_edits(text: str, said: str) -> int:
    """Of the text and whatever stretch of what was said is nearest to it, in words."""
    expected, got = words(text), words(said)
    stretches = (
        got[at : at + length]
        for length in range(max(1, len(expected) - 3), len(expected) + 4)
        for at in range(max(1, len(got) - length + 1))
    )
    return min(edits(text, " ".join(stretch)) for stretch in stretches)
