"""What code sees in a caller's words at once, so that no model is needed for what is obvious."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.agents.document import AgentDocument
from shared.domain.agents.intents import SlotKind
from shared.domain.slots.reading import Context
from shared.domain.tools.assent import Answer, answer_in
from shared.domain.understanding.declared import intent_of, slots_of
from shared.domain.understanding.findings import Findings, Mention
from shared.domain.understanding.plan import Deed, plan_of
from shared.domain.understanding.reading_slots import read_for
from shared.domain.understanding.state import State
from shared.domain.understanding.wording import denies, meant, place_of

_FEWEST_WITHIN = 3
"""Words that an example must have to be looked for among others."""
_SHORT = 4
_FREE = frozenset({SlotKind.TEXT, SlotKind.PERSON_NAME})
_UNMISTAKABLE = frozenset({SlotKind.DATE, SlotKind.TIME, SlotKind.PHONE_NUMBER, SlotKind.CHOICE})


@dataclass(frozen=True, slots=True)
class Obvious:
    """`is_all`: nothing is left for a model to find."""

    findings: Findings
    is_all: bool


def obvious_in(agent: AgentDocument, state: State, words: str, context: Context) -> Obvious:
    said = meant(words)
    plan = plan_of(agent, state)
    intent, is_whole = _intent(agent, said)
    is_asked = plan.deed is Deed.CONFIRM or (plan.deed is Deed.RESUME and bool(state.turns))
    answer = answer_in(words, context.language) if is_asked else Answer.NEITHER
    mentions = _mentions(agent, intent or state.intent, plan.slot if plan.deed is not Deed.CONFIRM else "", words)
    read = tuple(each for each in mentions if read_for(slots_of(agent)[each.slot], each.words, context).value)
    is_answered = any(each.slot == plan.slot for each in read) and len(said) <= _SHORT
    is_plain = answer is not Answer.NEITHER and (answer is Answer.YES or len(said) <= 1)
    is_all = not said or is_whole or is_answered or is_plain
    return Obvious(Findings(intent=intent, mentions=read, answer=answer), is_all)


def _intent(agent: AgentDocument, said: list[str]) -> tuple[str, bool]:
    """The only one of whose examples one was said, and whether nothing else was."""
    whole = {intent.name for intent in agent.intents for each in intent.examples if said and meant(each) == said}
    if len(whole) == 1:
        return whole.pop(), True
    within = {
        intent.name
        for intent in agent.intents
        for each in intent.examples
        if len(meant(each)) >= _FEWEST_WITHIN
        and place_of(meant(each), said) >= 0
        and denies(meant(each)) == denies(said)
    }
    return (within.pop(), False) if len(within) == 1 else ("", False)


def _mentions(agent: AgentDocument, intent: str, awaited: str, words: str) -> list[Mention]:
    """The slot that was asked for, unless its kind takes any words; and those of the intent that no other slot of it
    could be mistaken for.
    """
    declared = slots_of(agent)
    wanted = intent_of(agent, intent)
    kinds = [slot.kind for slot in wanted.slots] if wanted else []
    names = [awaited] if awaited in declared and declared[awaited].kind not in _FREE else []
    for slot in wanted.slots if wanted else ():
        is_alone = kinds.count(slot.kind) == 1
        if slot.kind in _UNMISTAKABLE and is_alone and slot.name != awaited:
            names.append(slot.name)
    return [Mention(name, words) for name in names]
