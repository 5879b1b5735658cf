"""What a voice agent says where it has no tool to ask: the local language model thinks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import aiohttp

_PERSONA: Final = "You are a kind voice agent on the telephone. Answer in one short sentence."
_DEADLINE_S: Final = 20.0
_MOST_TOKENS: Final = 60
APOLOGY: Final = "Sorry, something went wrong."


async def answer(speech_url: str, transcript: Sequence[tuple[str, str]]) -> str:
    """`transcript`: as (role, text), the caller's words last."""
    messages = [{"role": "system", "content": _PERSONA}]
    messages += [{"role": "user" if role == "user" else "assistant", "content": text} for role, text in transcript]
    wish = {"model": "local", "messages": messages, "max_tokens": _MOST_TOKENS}
    url = f"{speech_url.rstrip('/')}/v1/chat/completions"
    try:
        async with (
            asyncio.timeout(_DEADLINE_S),
            aiohttp.ClientSession() as session,
            session.post(url, json=wish, headers={"Authorization": "Bearer local"}) as response,
        ):
            document = await response.json()
            return str(document["choices"][0]["message"]["content"]).strip() or APOLOGY
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, IndexError, TypeError):
        return APOLOGY
