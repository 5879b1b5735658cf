"""Speech that is meant for whoever reads the call afterwards, and not for who is on the line.

Small models obey it whatever they are told; so they do not get to see it, and the report says where it stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.domain.after_call.analysis import Speech

LEFT_OUT = "(words to whoever reads this are left out)"
_SENTENCE = re.compile(r"[^.!?।\n\u2028\u2029]+[.!?।]*")
_ADDRESSED = re.compile(
    r"\b(?:ignore|disregard|forget|override|overrule)\b[^.!?।\n]{0,40}"
    r"\b(?:above|previous|prior|earlier|instructions?|prompts?|rules?|rubric|criteria|task)\b"
    r"|\b(?:mark|rate|score|grade|judge|evaluate|classify|label|report)\b[^.!?।\n]{0,30}\b(?:call|conversation|transcript"
    r"|agent|criteri(?:on|a)|rubric)\b[^.!?।\n]{0,40}\b(?:as|with|excellent|perfect|best|full|highest|positive|met|good)\b"
    r"|\b(?:system|developer|assistant)\s*(?:prompt|message|instruction|:)"
    r"|\b(?:give|assign|return|output)\b[^.!?।\n]{0,30}\b(?:scores?|marks?|rating|json)\b"
    r"|\byou are (?:now )?(?:an?|the) (?:ai|language model|analyst|judge|grader)\b",
    re.IGNORECASE,
)


def without_suspicious(speeches: Iterable[Speech]) -> tuple[tuple[Speech, ...], tuple[int, ...]]:
    """The speeches without such sentences, and the turns in which they stood."""
    kept, turns = [], []
    for speech in speeches:
        text = _SENTENCE.sub(_shown, speech.text)
        if text != speech.text:
            turns.append(speech.number)
        kept.append(Speech(speech.number, speech.speaker, text))
    return tuple(kept), tuple(dict.fromkeys(turns))


def _shown(found: re.Match[str]) -> str:
    return f" {LEFT_OUT} " if _ADDRESSED.search(found.group()) else found.group()
