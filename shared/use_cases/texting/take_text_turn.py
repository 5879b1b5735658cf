"""A request brings the caller's words, or asks for the rest of an answer: what is the provider to say, and to do?"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass, replace

from shared.domain import pipe_names, takes
from shared.domain.call import Agent, CallState, EndReason
from shared.domain.errors import Conflict, InvalidRequest, VoiceAgentError
from shared.domain.fillers import apology_of
from shared.domain.language_switch import primary
from shared.domain.ledger import Cost, Moment
from shared.domain.speech_pace import spoken_ms
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.lines import CAPABILITIES, Capability
from shared.domain.telephony.text_turns import Next, TextReply
from shared.domain.transcript import with_keys
from shared.domain.words import Said, Started, position_of, turn_at, written
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.pipes import Entry, Pipes
from shared.use_cases.calls.allow_transfer import AllowTransfer
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.languages import spoken_agent
from shared.use_cases.running import running
from shared.use_cases.texting.fillers import next_filler
from shared.use_cases.texting.outlets import reply_texts
from shared.use_cases.texting.transfer_orders import TransferOrders, back_at_ms, is_away
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)

_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class TakeTextTurn:
    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    call_store: CallStore
    orders: TransferOrders
    allow_transfer: AllowTransfer
    end_call: EndCall
    clock: Clock

    async def __call__(
        self, call_id: str, turn: int, words: str | None, *, after: int = 0, within_s: float, language: str = ""
    ) -> TextReply:
        """The reply to a turn's words, from the sentence after the first `after` on; it is waited for until the
        answer is whole or `within_s` is over.

        `words`: None for turn 0, which is the greeting, and for who comes again. The words of a turn count once, so a
        request may be repeated, and one for an earlier turn gets that turn's reply. Where the caller said nothing in
        time (`""`), or only pressed the key by which calls are put through, the turn is not taken: the reply has the
        number of the turn before, and nothing to say. The next turn's number is always one more than the reply's.

        Raises: NotFound for a call that is not running; Conflict for a turn that is not the next one, or a line that
        is not asked by requests; InvalidRequest.
        """
        live, agent = await running(self.live_calls, self.directory, call_id)
        if Capability.TEXT_TURNS not in CAPABILITIES[live.line]:
            raise Conflict("not_by_turns", f"{live.line} does not bring words by requests")
        if turn < 0 or after < 0 or (words and not turn):
            raise InvalidRequest("turn_malformed", "turns count from 1, and turn 0 has no words")
        request = _Request(call_id, turn, after, within_s)
        newest = await self._newest_turn(live)
        if turn > newest:
            if live.end_reason or await self._has_ended(call_id):
                return await self._is_over(agent, request)
            if words is None or turn > newest + 1:
                raise Conflict("turn_unknown", f"the next words are those of turn {newest + 1}")
            if not words.strip() or await self._hands_over(live, agent, words):
                return await self._nothing_said(live, agent, request)
            said = written(Said(self.clock.now_ms(), words.strip(), language))
            await self.pipes.append(pipe_names.words(call_id), said, position=position_of(turn))
        return await self._answer(live, agent, request, is_newest=turn >= newest)

    async def listen_again(self, call_id: str, *, apologise: bool = False) -> TextReply:
        """The line has been elsewhere, and is back: nothing is to be said, the caller is listened to. `apologise`:
        the caller's last words were lost, and are asked for.

        Raises: NotFound for a call that is not running.
        """
        live, agent = await running(self.live_calls, self.directory, call_id)
        request = _Request(call_id, await self._newest_turn(live), 0, 0.0)
        then = Next.HANG_UP if live.end_reason or await self._has_ended(call_id) else Next.LISTEN
        agent = await self._spoken(agent, call_id, request.turn)
        said = [apology_of(agent)] if apologise and then is Next.LISTEN else []
        return self._reply(agent, request, said, told=0, then=then)

    async def _newest_turn(self, live: LiveCall) -> int:
        """The last turn whose words are known. The first request of all starts the line."""
        words = pipe_names.words(live.call_id)
        last = await self.pipes.last(words)
        if last is None:
            now_ms = self.clock.now_ms()
            await self.call_store.advance(live.tenant_id, live.call_id, CallState.IN_PROGRESS, at=self.clock.now())
            await self.pipes.append(words, written(Started(now_ms)), position=position_of(0))
            return 0
        turn = turn_at(last.position)
        if turn is not None:
            return turn
        before = [turn_at(entry.position) for entry in await self.pipes.read(words)]
        return max((turn for turn in before if turn is not None), default=0)

    async def _has_ended(self, call_id: str) -> bool:
        """A call may be over before it has been written down."""
        last = await self.pipes.last(pipe_names.words(call_id))
        return last is not None and last.fields.get(b"event") == b"end"

    # the answer

    async def _answer(self, live: LiveCall, agent: Agent, request: _Request, *, is_newest: bool) -> TextReply:
        if not request.turn:
            await self._greet(request)
        texts, is_whole = await self._texts(request)
        known = await self.live_calls.get(live.call_id)
        has_ended = known is None or bool(known.end_reason)
        transfer = None
        if is_whole or has_ended:
            transfer = await self.orders.due(live.call_id, request.turn, is_newest=is_newest)
        left = texts[request.after :]
        # In the language of the words that are answered, which have been noted by now.
        if request.turn:
            agent = await self._spoken(agent, request.call_id, request.turn)
        if texts:
            await self._hand_out(request, texts)
        if transfer is not None:
            await self._let_go(live, transfer)
            then = Next.TRANSFER
        elif has_ended:
            then = Next.HANG_UP
        else:
            then = Next.LISTEN if is_whole else Next.COME_AGAIN
            if not left and not is_whole:
                left = await self._filler(agent, request)
        return self._reply(agent, request, left, told=len(texts), then=then, transfer=transfer)

    async def _greet(self, request: _Request) -> None:
        """The greeting is known; it need not wait for the call's steps to have begun."""
        sentences = pipe_names.turn(request.call_id, 0, pipe_names.SENTENCES)
        reply = pipe_names.turn(request.call_id, 0, pipe_names.REPLY)
        for entry in await self.pipes.read(sentences):
            if b"text" in entry.fields:
                position = f"{takes.place(entry.position)[1]}-0"
                await self.pipes.append(reply, {"text": entry.fields[b"text"]}, position=position)
            elif is_end(entry):
                await self.pipes.append(reply, {"event": "end"}, position=pipe_names.END_POSITION)

    async def _texts(self, request: _Request) -> tuple[list[str], bool]:
        """The answer's sentences, and whether they are all that will come."""
        reply = pipe_names.turn(request.call_id, request.turn, pipe_names.REPLY)
        found = await self.pipes.read(reply)
        if not found or not is_end(found[-1]):
            await self._wait(reply, found, request)
        return reply_texts(found)

    async def _wait(self, reply: str, found: list[Entry], request: _Request) -> None:
        after, waiting = found[-1].position if found else "0-0", Waiting(self.pipes, self.live_calls)
        if await waiting.is_over(request.call_id):
            return
        try:
            async with (
                asyncio.timeout(request.within_s),
                aclosing(self.pipes.follow(reply, after, idle_s=_LOOK_AGAIN_S)) as batches,
            ):
                async for batch in batches:
                    found += batch
                    if (batch and is_end(batch[-1])) or (not batch and await waiting.is_over(request.call_id)):
                        return
        except TimeoutError:
            return

    async def _hand_out(self, request: _Request, texts: list[str]) -> None:
        """From now on these count as said."""
        now_ms, told = self.clock.now_ms(), len(texts)
        handed = {
            "told": str(told),
            "at_ms": repr(now_ms),
            "until_ms": repr(now_ms + sum(map(spoken_ms, texts[request.after :]))),
        }
        await self.live_calls.note_once(request.call_id, request.turn, Moment.FIRST_FRAME_SENT, now_ms)
        pipe = pipe_names.turn(request.call_id, request.turn, pipe_names.HANDED)
        await self.pipes.append(pipe, handed, position=f"{told}-1")

    async def _filler(self, agent: Agent, request: _Request) -> list[str]:
        """Who has waited, and is to come again, is told so."""
        if not request.turn or not agent.manner.filler_after_ms:
            return []
        filler = await next_filler(self.live_calls, agent, request.call_id)
        if not filler:
            return []
        await self.live_calls.note_once(request.call_id, request.turn, Moment.FILLER, self.clock.now_ms())
        await self.live_calls.count(request.call_id, request.turn, {Cost.FILLERS: 1})
        return [filler]

    async def _spoken(self, agent: Agent, call_id: str, turn: int) -> Agent:
        """As it is heard in the reply to this turn: in another language a voice of that language's speaks."""
        spoken = await spoken_agent(self.live_calls, call_id, max(1, turn), agent)
        return spoken if primary(spoken.language) == primary(agent.language) else replace(spoken, voice="")

    # what else there is to answer

    async def _nothing_said(self, live: LiveCall, agent: Agent, request: _Request) -> TextReply:
        """The caller was listened to in vain."""
        before = _Request(request.call_id, request.turn - 1, 0, 0.0)
        journal = await self.live_calls.journal(request.call_id, before.turn)
        ended_ms = max(
            float(journal.get(Moment.PLAYBACK_ENDED, "inf")), await back_at_ms(self.pipes, request.call_id)
        )
        then = Next.LISTEN
        is_too_quiet = self.clock.now_ms() - ended_ms >= agent.quiet_limit_ms
        if is_too_quiet and not await is_away(self.pipes, self.live_calls, request.call_id):
            await self.end_call.note(live.call_id, EndReason.SILENT)
            then = Next.HANG_UP
        reply = pipe_names.turn(request.call_id, before.turn, pipe_names.REPLY)
        texts, _ = reply_texts(await self.pipes.read(reply))
        transfer = await self.orders.due(live.call_id, request.turn, is_newest=True)
        if transfer is not None:
            await self._let_go(live, transfer)
            then = Next.TRANSFER
        agent = await self._spoken(agent, request.call_id, before.turn)
        return self._reply(agent, before, [], told=len(texts), then=then, transfer=transfer)

    async def _is_over(self, agent: Agent, request: _Request) -> TextReply:
        """What was answered before may have been lost on its way."""
        transfer = await self.orders.due(request.call_id, request.turn, is_newest=False)
        agent = await self._spoken(agent, request.call_id, request.turn)
        then = Next.HANG_UP if transfer is None else Next.TRANSFER
        return self._reply(agent, request, [], told=0, then=then, transfer=transfer)

    async def _hands_over(self, live: LiveCall, agent: Agent, words: str) -> bool:
        """Whether the caller has asked for a person by the agent's key, and can be put through."""
        rule = agent.manner.hand_over
        if rule is None or words.strip() not in (rule.key, with_keys("", rule.key)):
            return False
        if live.leaving:
            return True  # it was asked for before, and the answer was lost
        try:
            transfer = await self.allow_transfer(live, Transfer(rule.to, rule.kind))
            await self._order(live, transfer)
        except VoiceAgentError as error:
            logger.warning("call %s is not handed over: %s", live.call_id, error)
            return False
        await self.live_calls.leave(live.call_id, EndReason.TRANSFERRED)
        return True

    async def _order(self, live: LiveCall, transfer: Transfer) -> None:
        try:
            await self.orders.order(live.call_id, transfer)
        except VoiceAgentError:
            await self.allow_transfer.over(live.tenant_id, live.call_id)
            raise

    async def _let_go(self, live: LiveCall, transfer: Transfer) -> None:
        if transfer.kind is TransferKind.COLD:
            await self.end_call.note(live.call_id, EndReason.TRANSFERRED)

    def _reply(
        self,
        agent: Agent,
        request: _Request,
        sentences: list[str],
        *,
        told: int,
        then: Next,
        transfer: Transfer | None = None,
    ) -> TextReply:
        return TextReply(
            turn=request.turn,
            sentences=tuple(sentences),
            told=told,
            next=then,
            language=agent.language,
            voice=agent.voice,
            transfer=transfer,
            is_interruptible=agent.interruptible,
        )


@dataclass(frozen=True, slots=True)
class _Request:
    call_id: str
    turn: int
    after: int
    within_s: float
