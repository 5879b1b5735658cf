"""The phone simulator's control: calls are placed, their events come as they happen, words are typed, calls ended."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp

from local_stack.eval.trouble import CannotEvaluate

_MAX_LINE_BYTES: Final = 4 * 1024 * 1024
RESULT: Final = "call_result"
"""The last event of a call."""


class Phone:
    """The simulated telephone network at `phones_url`."""

    def __init__(self, session: aiohttp.ClientSession, phones_url: str) -> None:
        self._session = session
        self._url = phones_url

    async def call(self, wish: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
        """Places a call; gives its events. Who does not read to the end hangs up. Raises: CannotEvaluate."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        try:
            async with self._session.post(
                f"{self._url}/_local/calls", json=wish, timeout=timeout, read_bufsize=_MAX_LINE_BYTES
            ) as response:
                if response.status != 200:
                    reason = " ".join((await response.text()).split())[:300]
                    raise CannotEvaluate(f"the phone simulator refuses the call: {reason}")
                async for line in response.content:
                    yield json.loads(line)
        except (aiohttp.ClientError, OSError) as error:
            raise CannotEvaluate(f"the phone simulator at {self._url} went away: {error}") from None

    async def type_in(self, call_sid: str, text: str, language: str = "") -> bool:
        """False where the call is over by now."""
        body = {"text": text, "language": language}
        async with self._session.post(f"{self._url}/_local/twilio/typed/{call_sid}", json=body) as response:
            return response.status == 204

    async def speak(self, call_sid: str, utterance: Mapping[str, Any]) -> bool:
        """Of a caller who improvises; False where the call is over by now. Raises: CannotEvaluate."""
        url = f"{self._url}/_local/calls/{call_sid}/utterances"
        async with self._session.post(url, json=dict(utterance)) as response:
            if response.status not in (204, 404):
                reason = " ".join((await response.text()).split())[:300]
                raise CannotEvaluate(f"the phone simulator does not say it: {reason}")
            return response.status == 204

    async def set_person(self, number: str, person: Mapping[str, Any]) -> None:
        """How somebody behaves who is called at the number. Raises: CannotEvaluate."""
        async with self._session.put(f"{self._url}/_local/people/{number}", json=dict(person)) as response:
            if response.status != 204:
                reason = " ".join((await response.text()).split())[:300]
                raise CannotEvaluate(f"people: {number}: {reason}")

    async def forget_person(self, number: str) -> None:
        """Whoever is called there next behaves as anybody does."""
        async with self._session.delete(f"{self._url}/_local/people/{number}"):
            pass

    async def hang_up(self, call_sid: str) -> None:
        """Nothing to be done where the call is over."""
        async with self._session.delete(f"{self._url}/_local/calls/{call_sid}"):
            return
