"""Places calls as a carrier does, many at once, and fetches what the app and the services say of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from benchmarks.calls import replies
from benchmarks.calls.own_stack import CALLERS_CORE, OwnStack
from local_stack.phones import utterance
from local_stack.phones.conversation import Plan
from local_stack.phones.measures import Turn
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.call import TwilioCall
from local_stack.phones.twilio.options import CallOptions
from local_stack.phones.voices import read_index
from local_stack.supervisor.addresses import ROOT

VOICES = ("vm-nobodyavail.wav", "tt-monkeysintro.wav", "cannot-complete-as-dialed.wav")
"""Recordings with no pause above 80 ms: not even the patience of 100 ms ends within them."""
READINGS = "librivox-"
"""All recordings but those that begin so: sixteen prompts of 1.4 to 3.5 s, with pauses up to 260 ms in them."""
COMPLETE_VOICES = ("tt-weasels.wav", "vm-sorry.wav", "number-not-answering.wav")
"""Recordings whose end the turn models of the other frameworks are sure of, so that they wait no longer than usual;
of the sixteen that are at hand they are less sure of the others, and of a third wait for two seconds and more.
"""
NUMBERS = {
    (500, True): "+15550100101",
    (100, True): "+15550100102",
    (500, False): "+15550100103",
    (100, False): "+15550100104",
}
"""Whom to call for how much patience, in ms, and with speculation or without (seed.json)."""
_RECORDS_WITHIN_S = 30.0
_FIRST_CALLER = 14155550200
_TWIML = '<Response><Connect><Stream url="{url}"/></Connect></Response>'
_LETTERS = "abcdefghijkmnopqrstuvwxyz"
_NO_GREETING_MS, _NO_REPLY_MS = 1_000, 8_000
"""Somebody else's agent does not greet; and a reply that is lost is lost sooner."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Calls to be placed: so many at once, begun evenly over `stagger_s`, each with so many turns; then again,
    `rounds` times in all.
    """

    calls: int
    turns: int
    pattern: str = "bp"
    patience_ms: int = 500
    stagger_s: float = 0.0
    speculates: bool = True
    reply: str = "unique"
    rounds: int = 1

    @property
    def turns_in_all(self) -> int:
        return self.calls * self.turns * self.rounds


@dataclass(frozen=True, slots=True)
class Placed:
    """One call after its end, as the caller and as the app saw it."""

    turns: Sequence[Turn]
    errors: tuple[str, ...]
    lag_p99_ms: float
    duration_s: float
    record: dict[str, Any]


class Caller:
    """Places the calls, on a core apart from the stack's. Speaks with these `voices`, one after the other, or with
    all prompts that are at hand.
    """

    def __init__(self, stack: OwnStack, session: aiohttp.ClientSession, voices: Sequence[str] = ()) -> None:
        secrets = stack.secrets
        self._edition = 0
        self._stack = stack
        self._session = session
        self._account = Account(secrets["twilio_account_sid"], secrets["twilio_auth_token"])
        self._headers = {"Authorization": f"Bearer {stack.command('token', '--role', 'operator')}"}
        texts = {voice.file.name: voice for voice in read_index(ROOT / ".local" / "voices")}
        names = voices or [name for name in texts if not name.startswith(READINGS)]
        self._utterances = [utterance.from_file(texts[name].file, texts[name].text) for name in names]
        self._spoken = 0

    async def place(self, wish: Wish, media_url: str | None = None) -> list[Placed]:
        """All calls of the wish; returns when the app has kept the last one's records.

        `media_url`: a WebSocket of somebody else to which the calls' media go instead, without webhooks or records.
        """
        pause_s = wish.stagger_s / wish.calls
        placed: list[Placed] = []
        for _ in range(wish.rounds):
            placed += await asyncio.gather(
                *(self._one(wish, number, number * pause_s, media_url) for number in range(wish.calls))
            )
        return placed

    async def prepare(self, reply: str) -> None:
        """From now on the services give this reply, in words that differ from all that were given before, and have
        been asked nothing yet. Raises: aiohttp.ClientError.
        """
        url = f"{self._stack.url('speech')}/script"
        edition = _LETTERS[self._edition // len(_LETTERS)] + _LETTERS[self._edition % len(_LETTERS)]
        self._edition += 1
        async with self._session.post(url, json=replies.script(reply, edition), raise_for_status=True):
            await self.services()

    async def services(self) -> list[dict[str, Any]]:
        """What the scripted service got, request by request, since it was last asked."""
        url = self._stack.url("speech")
        async with self._session.get(f"{url}/timeline") as answer:
            timeline: dict[str, Any] = await answer.json()
        async with self._session.post(f"{url}/reset"):
            return list(timeline["requests"])

    async def _one(self, wish: Wish, number: int, after_s: float, media_url: str | None) -> Placed:
        await asyncio.sleep(after_s)
        call = TwilioCall(self._options(wish, number, media_url))
        result = await call.run()
        record, trouble = ({"turns": []}, ()) if media_url else await self._record(result.call_sid)
        state = call.state
        duration_ms = (state.ended_ms or 0) - (state.answered_ms or state.ended_ms or 0)
        return Placed(result.turns, (*result.errors, *trouble), result.lag_p99_ms, duration_ms / 1000, record)

    def _options(self, wish: Wish, number: int, media_url: str | None) -> CallOptions:
        app, first = self._stack.url("app"), self._spoken % len(self._utterances)
        self._spoken += wish.turns
        common = CallOptions(
            self._account,
            f"+{_FIRST_CALLER + number}",
            NUMBERS[wish.patience_ms, wish.speculates],
            f"{app}/api/webhooks/twilio/voice",
            status_url=f"{app}/api/webhooks/twilio/status",
            utterances=[*self._utterances[first:], *self._utterances[:first]],
            plan=Plan(turns=wish.turns, pattern=wish.pattern),
        )
        if media_url is None:
            return common
        plan = replace(common.plan, greeting_timeout_ms=_NO_GREETING_MS, reply_timeout_ms=_NO_REPLY_MS)
        return replace(common, voice_url=None, status_url=None, twiml=_TWIML.format(url=media_url), plan=plan)

    async def _record(self, call_sid: str) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The app's record once it is complete, else what there is of it and a complaint."""
        record: dict[str, Any] = {"turns": []}
        try:
            async with asyncio.timeout(_RECORDS_WITHIN_S):
                while record.get("state") not in ("completed", "failed"):
                    await asyncio.sleep(0.5)
                    listed = (await self._ask(f"/api/calls?provider_call_id={call_sid}"))["calls"]
                    record = await self._ask(f"/api/calls/{listed[0]['call_id']}") if listed else record
        except (TimeoutError, aiohttp.ClientError) as error:
            return record, (f"the app has no complete record of the call: {type(error).__name__}",)
        return record, ()

    async def _ask(self, path: str) -> dict[str, Any]:
        async with self._session.get(self._stack.url("app") + path, headers=self._headers) as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
            return document


def stay_on_callers_core() -> None:
    """From here on this process, which is the callers, runs apart from the stack."""
    os.sched_setaffinity(0, {CALLERS_CORE})
