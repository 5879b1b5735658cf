"""The app's public API, used as a company uses it: agents are drafted and published, numbers given, calls read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from local_stack.eval.trouble import CannotEvaluate
from local_stack.identity.script_sign_in import SignInFailed, access_token

_TENANT: Final = "00000000-0000-4000-8000-000000000001"
"""Whose people sign in here, as the stack is seeded."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)
_OVER: Final = ("completed", "failed", "no_answer", "busy", "canceled")


@dataclass(frozen=True)
class Finished:
    """A call that is over: with the words as they really were, as operators see it, and what was made of it."""

    record: Mapping[str, Any]
    shown: Mapping[str, Any]
    analysis: Mapping[str, Any] | None


class AppDoor:
    """One app. Numbers that were given are taken back by `leave`."""

    def __init__(self, session: aiohttp.ClientSession, app_url: str, identity_url: str) -> None:
        self._session = session
        self._app_url = app_url
        self._identity_url = identity_url
        self._tokens: dict[str, str] = {}
        self._given: list[str] = []

    async def publish(self, agent_id: str, document: Mapping[str, Any]) -> int:
        """Gives the version. Raises: CannotEvaluate with the fields that the app finds wrong."""
        draft = await self._ask("admin", "PUT", f"/api/agents/{agent_id}/draft", document)
        body = {"revision": draft["revision"], "note": "evaluation"}
        published = await self._ask("admin", "POST", f"/api/agents/{agent_id}/publish", body)
        return int(published["published"])

    async def give_number(self, line: str, agent_id: str) -> str:
        """A number that nobody has called yet, so that the app remembers nothing of it."""
        number = f"+1555{random.randint(2_000_000, 9_999_999)}"
        where = f"{line.partition('-')[0]}/{number}"
        self._given.append(where)
        await self._ask("platform", "PUT", f"/api/number-allotments/{where}", {"tenant_id": _TENANT})
        await self._ask("admin", "PUT", f"/api/numbers/{where}", {"agent_id": agent_id, "line": line})
        return number

    async def leave(self) -> None:
        """Takes all numbers back."""
        given, self._given = self._given, []
        for where in given:
            await self._ask("admin", "DELETE", f"/api/numbers/{where}", known=(204, 404))
            await self._ask("platform", "DELETE", f"/api/number-allotments/{where}", known=(204, 404))

    async def call_of(self, provider_call_id: str) -> dict[str, Any] | None:
        """The call with its turns as far as they are known; None while the app does not know it."""
        found = await self._ask("operator", "GET", f"/api/calls?provider_call_id={provider_call_id}")
        if not found["calls"]:
            return None
        return await self._ask("operator", "GET", f"/api/calls/{found['calls'][0]['call_id']}")

    async def running_call(self, caller: str) -> dict[str, Any] | None:
        """The newest call of the caller, while it runs."""
        found = await self._ask("operator", "GET", "/api/calls?state=in_progress&limit=5")
        call = next((each for each in found["calls"] if each["from"] == caller), None)
        return None if call is None else await self._ask("operator", "GET", f"/api/calls/{call['call_id']}")

    async def said_from(self, provider_call_id: str, turn: int) -> str:
        """By the agent in a running call, from this turn on, as soon as it is told; "" where nothing is in time."""
        for _ in range(25):
            call = await self.call_of(provider_call_id)
            turns = () if call is None else call["turns"]
            said = " ".join(each["said"] for each in turns if each["number"] >= turn and each["said"])
            if said:
                return said
            await asyncio.sleep(0.2)
        return ""

    async def ended_call(self, provider_call_id: str, within_s: float = 30) -> dict[str, Any]:
        """Raises: CannotEvaluate where it is not over in time, or the app never knew it."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    call = await self.call_of(provider_call_id)
                    if call is not None and call["state"] in _OVER:
                        return call
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise CannotEvaluate(f"the app did not tell the end of call {provider_call_id}") from None

    async def finished(self, call: Mapping[str, Any], agent: Mapping[str, Any], *, within_s: float) -> Finished:
        """Once what comes after a call of this agent is done, as far as it is in time. What is personal is hidden by
        then in what operators see, and the analysis is there.
        """
        call_id = call["call_id"]
        after, kept_days = agent.get("after_call") or {}, (agent.get("retention") or {}).get("raw", 1)
        raw: dict[str, Any] | None = None
        if after.get("redacts", True) and kept_days:
            raw = await self._until("admin", f"/api/calls/{call_id}/raw-transcript", within_s)
        elif after.get("analyses"):
            await self._until("operator", f"/api/calls/{call_id}/analysis", within_s)
        shown = await self._ask("operator", "GET", f"/api/calls/{call_id}")
        analysis = (await self._maybe("operator", f"/api/calls/{call_id}/analysis") or {}).get("analysis")
        words = {turn["number"]: turn for turn in (raw or {}).get("turns") or ()}
        turns = [turn | {name: words.get(turn["number"], turn)[name] for name in ("heard", "said")}
                 for turn in shown["turns"]]  # fmt: skip
        return Finished({**shown, "turns": turns}, shown, (raw or {}).get("analysis") or analysis)

    async def deeds(self, call_id: str) -> list[dict[str, Any]]:
        """Messages taken in the call, and calls back that are planned since, as tools."""
        taken = await self._ask("operator", "GET", "/api/messages?limit=50")
        planned = await self._ask("operator", "GET", "/api/callbacks?limit=50")
        return [
            *({"name": "take_message", "arguments": {"message": each["text"], "name": each["name"]}}
              for each in taken["messages"] if each["call_id"] == call_id),
            *({"name": "schedule_callback", "arguments": {"reason": each["reason"], "to": each["to"]}}
              for each in planned["callbacks"] if each["promised_in"] == call_id),
        ]  # fmt: skip

    async def _until(self, role: str, path: str, within_s: float) -> dict[str, Any] | None:
        """None where it is not there in time."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if (found := await self._maybe(role, path)) is not None:
                        return found
                    await asyncio.sleep(0.2)
        except TimeoutError:
            return None

    async def _maybe(self, role: str, path: str) -> dict[str, Any] | None:
        """None where there is no such thing."""
        status, found = await self._answer(role, "GET", path, None, (200, 404))
        return found if status == 200 else None

    async def status_of(self, method: str, path: str) -> int:
        """How a request without a body is answered, for an administrator."""
        async with self._session.request(
            method, self._app_url + path, headers=await self._bearer("admin"), timeout=_TIMEOUT
        ) as response:
            return response.status

    async def upload(self, collection: str, document_id: str, content: bytes, content_type: str) -> None:
        """Waits until it can be looked up. Raises: CannotEvaluate."""
        path = f"/api/knowledge/{collection}/documents/{document_id}"
        headers = {**await self._bearer("admin"), "Content-Type": content_type}
        async with self._session.put(
            self._app_url + path, data=content, headers=headers, timeout=_TIMEOUT
        ) as response:
            if response.status != 202:
                raise CannotEvaluate(f"{path} answered {response.status}: {(await response.text())[:300]}")
        for _ in range(300):
            shown = await self._ask("admin", "GET", path)
            if shown["state"] in ("ready", "indexed", "done", "completed"):
                return
            if shown["failure"]:
                raise CannotEvaluate(f"{path}: {shown['failure']['message']}")
            await asyncio.sleep(0.2)
        raise CannotEvaluate(f"{path}: is not ready after a minute")

    async def _bearer(self, role: str) -> dict[str, str]:
        if role not in self._tokens:
            try:
                self._tokens[role] = await asyncio.to_thread(access_token, self._identity_url, role=role)
            except SignInFailed as error:
                raise CannotEvaluate(str(error)) from None
        return {"Authorization": f"Bearer {self._tokens[role]}"}

    async def _ask(
        self,
        role: str,
        method: str,
        path: str,
        document: Mapping[str, Any] | None = None,
        known: tuple[int, ...] = (200, 201, 202, 204),
    ) -> dict[str, Any]:
        return (await self._answer(role, method, path, document, known))[1]

    async def _answer(
        self, role: str, method: str, path: str, document: Mapping[str, Any] | None, known: tuple[int, ...]
    ) -> tuple[int, dict[str, Any]]:
        try:
            async with self._session.request(
                method, self._app_url + path, json=document, headers=await self._bearer(role), timeout=_TIMEOUT
            ) as response:
                if response.status not in known:
                    reason = " ".join((await response.text()).split())[:500]
                    raise CannotEvaluate(f"{method} {path} answered {response.status}: {reason}")
                answer: dict[str, Any] = await response.json(content_type=None) if response.status != 204 else {}
                return response.status, answer or {}
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise CannotEvaluate(f"{method} {path}: {error or type(error).__name__}") from None
