"""How a state changes by what was found in a turn: values are read here, corrected, confirmed and taken back."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.agents.document import AgentDocument
from shared.domain.slots.reading import Context, Why
from shared.domain.tools.assent import Answer, answer_in
from shared.domain.understanding.declared import intent_of, slots_of
from shared.domain.understanding.findings import Findings, Mention
from shared.domain.understanding.flow import advanced
from shared.domain.understanding.plan import Deed, Plan, is_done, plan_of
from shared.domain.understanding.reading_slots import Heard, read_for
from shared.domain.understanding.state import LONGEST_VALUE, MOST_ASIDE, REFUSED, Doubt, Held, State


def learned(agent: AgentDocument, state: State, findings: Findings, heard: Heard) -> State:
    """The state after the caller's words of this turn. A turn that is understood already changes nothing; one that
    comes late changes nothing that a later one has said.
    """
    turn, context = heard.turn, heard.context
    if state.has_understood(turn):
        return state
    before = plan_of(agent, state)
    confirming = state.slots.get(before.slot) if before.deed is Deed.CONFIRM else None
    is_latest = turn >= state.latest_turn
    if is_latest:
        answer = _answer(findings, heard)
        state = _taken_up(state, before, findings, answer)
        state = _with_intent(agent, state, findings, turn)
    for mention in findings.mentions:
        state = _with_slot(agent, state, mention, context, turn)
    if is_latest:
        state = _confirmed(state, before, confirming, answer, turn)
    state = state.after(turn)
    return advanced(agent, state, state.latest_turn)


def _answer(findings: Findings, heard: Heard) -> Answer:
    """A model's yes counts only where the caller's words are not a no."""
    said = answer_in(heard.words, heard.context.language)
    return findings.answer if said is Answer.NEITHER else said


def _taken_up(state: State, before: Plan, findings: Findings, answer: Answer) -> State:
    """What was recalled counts once the caller goes on with it, and is forgotten when not. In the first turn they
    have not been asked yet.
    """
    is_asked = bool(state.turns)
    if before.deed is not Deed.RESUME:
        return state
    if (is_asked and answer is Answer.YES) or (findings.intent and findings.intent == state.intent):
        slots = {name: replace(held, recalled=False) for name, held in state.slots.items()}
        return replace(state, slots=slots)
    if not is_asked and not findings.intent:
        return state
    kept = {name: held for name, held in state.slots.items() if not held.recalled}
    return replace(state, slots=kept, intent="", aside=(), doubts={}, declined=())


def _with_intent(agent: AgentDocument, state: State, findings: Findings, turn: int) -> State:
    """A new intent puts an unfinished one aside; when the new one is done, the other is gone on with."""
    wanted = findings.intent if intent_of(agent, findings.intent) else ""
    if wanted and wanted != state.intent:
        is_left_open = bool(state.intent) and not is_done(agent, state)
        aside = [name for name in state.aside if name != wanted] + ([state.intent] if is_left_open else [])
        aside = [name for name in aside if name != wanted][-MOST_ASIDE:]
        return replace(state, intent=wanted, intent_turn=turn, aside=tuple(aside), unclear=0)
    if findings.is_other and not findings.mentions:
        return replace(state, unclear=state.unclear + 1)
    state = replace(state, unclear=0)
    if not wanted and state.aside and state.intent_turn < turn and is_done(agent, state):
        return replace(state, intent=state.aside[-1], intent_turn=turn, aside=state.aside[:-1])
    return state


def _with_slot(agent: AgentDocument, state: State, mention: Mention, context: Context, turn: int) -> State:
    slot = slots_of(agent).get(mention.slot)
    held, doubt = state.slots.get(mention.slot), state.doubts.get(mention.slot)
    if slot is None or (held and held.turn > turn) or (doubt and doubt.turn > turn):
        return state
    words, reading = mention.words, read_for(slot, mention.words, context)
    if doubt and doubt.why == Why.TOO_SHORT and reading.why in (Why.TOO_SHORT, Why.NOTHING):
        words = f"{doubt.said} {mention.words}"
        reading = read_for(slot, words, context)
    words = words[:LONGEST_VALUE]
    if reading.value:
        is_same = held is not None and held.value == reading.value
        new = Held(
            value=reading.value[:LONGEST_VALUE],
            said=words,
            turn=turn,
            confirmed=is_same and held is not None and held.confirmed,
        )
        return _holding(state, mention.slot, new)
    if reading.why is Why.DECLINED and not slot.required:
        slots = {name: each for name, each in state.slots.items() if name != mention.slot}
        declined = tuple(dict.fromkeys((*state.declined, mention.slot)))
        return replace(state, slots=slots, doubts=_without(state, mention.slot), declined=declined)
    if held is not None and not held.recalled and reading.why is Why.NOTHING:
        return state
    candidates = tuple(each[:LONGEST_VALUE] for each in reading.candidates[:5])
    why = str(reading.why or Why.NOTHING)
    return _doubting(state, mention.slot, Doubt(why=why, said=words, turn=turn, candidates=candidates))


def _confirmed(state: State, before: Plan, asked: Held | None, answer: Answer, turn: int) -> State:
    """`asked`: what the caller was asked whether it is right, which they may have corrected instead."""
    held = state.slots.get(before.slot)
    if asked is None or held is None or held.value != asked.value or answer is Answer.NEITHER:
        return state
    if answer is Answer.NO:
        return _doubting(state, before.slot, Doubt(why=REFUSED, said=held.said, turn=turn))
    return _holding(state, before.slot, replace(held, confirmed=True))


def _holding(state: State, name: str, held: Held) -> State:
    declined = tuple(each for each in state.declined if each != name)
    return replace(state, slots={**state.slots, name: held}, doubts=_without(state, name), declined=declined)


def _doubting(state: State, name: str, doubt: Doubt) -> State:
    """A value that was corrected by something unreadable is wrong in any case."""
    slots = {each: held for each, held in state.slots.items() if each != name}
    return replace(state, slots=slots, doubts={**_without(state, name), name: doubt})


def _without(state: State, name: str) -> dict[str, Doubt]:
    return {each: doubt for each, doubt in state.doubts.items() if each != name}
