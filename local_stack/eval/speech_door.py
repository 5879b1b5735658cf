"""The speech service of the stack: directed where it goes by a script, asked for a voice, and what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp

from local_stack.eval.scenario import CallerLine
from local_stack.eval.trouble import CannotEvaluate

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)
_LETTER_MS: Final = 65
"""The pace at which people speak, and the app reckons."""


class SpeechDoor:
    """The service at `speech_url`, without `/v1`."""

    def __init__(self, session: aiohttp.ClientSession, speech_url: str) -> None:
        self._session = session
        self.url = speech_url

    async def direct(
        self, lines: Sequence[CallerLine], voices: Sequence[str | None], finds: Mapping[str, Any]
    ) -> None:
        """From now on it goes by these lines; `voices`: the recording that stands for each. `finds`: what structured
        output has of the whole call.

        Raises: CannotEvaluate.
        """
        dialogue = [_exchange(line, voice) for line, voice in zip(lines, voices, strict=True)]
        script = {"dialogue": dialogue, "latencies": {"tts_ms_per_char": _LETTER_MS}, "finds": dict(finds)}
        await self._post("/script", script)
        await self._post("/reset", {})

    async def requests(self) -> list[Mapping[str, Any]]:
        """What it was asked, the oldest first. Raises: CannotEvaluate."""
        async with self._session.get(f"{self.url}/timeline", timeout=_TIMEOUT) as response:
            if response.status != 200:
                raise CannotEvaluate(f"{self.url}/timeline answered {response.status}")
            found: list[Mapping[str, Any]] = (await response.json())["requests"]
            return found

    async def say(self, text: str) -> bytes:
        """A WAV of the text. Raises: CannotEvaluate."""
        wish = {"model": "local", "voice": "default", "input": text, "response_format": "wav"}
        async with self._session.post(f"{self.url}/v1/audio/speech", json=wish, timeout=_TIMEOUT) as response:
            if response.status != 200:
                raise CannotEvaluate(f"no voice for the caller: the speech service answered {response.status}")
            return await response.read()

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        async with self._session.post(f"{self.url}{path}", json=body, timeout=_TIMEOUT) as response:
            if response.status != 200:
                raise CannotEvaluate(f"the scripted model refuses the script: {(await response.text())[:300]}")


def _exchange(line: CallerLine, voice: str | None) -> dict[str, Any]:
    exchange: dict[str, Any] = {"heard": line.say, "reply": line.reply}
    if voice is not None:
        exchange["voice"] = voice
    if line.tool is not None:
        exchange["tool_call"] = dict(line.tool)
    if line.finds:
        exchange["finds"] = dict(line.finds)
    if line.faults:
        exchange["faults"] = dict(line.faults)
    return exchange
