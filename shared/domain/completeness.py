"""How likely the words so far are all that the caller wants to say, from the words alone."""

from __future__ import annotations

from shared.domain.backchannels import normalised
from shared.domain.hanging_words import DIGITS, ENDING_VERBS, HANGING, HANGING_OR_ASKING, HANGING_OR_END
from shared.domain.sentences import QUESTION_MARKS, SENTENCE_ENDS

_EVEN = 0.5
_MIDDLE_OF_SENTENCE, _HANGING_WORD, _UNPUNCTUATED, _DIGITS_IN_PROGRESS = 0.25, 0.1, 0.35, 0.25
"""Of pauses in recordings, read by a small recogniser that ends most fragments with a full stop, so many were turns'
ends (a third of all pauses was). `_UNPUNCTUATED`: no mark at the end from a recogniser that does set marks.
"""
_WHOLE_SENTENCE, _QUESTION, _WHOLE_NUMBER = 0.8, 0.95, 0.9
_WHOLE_NUMBER_DIGITS = 10

_DOTS = ("...", "…")
_MIDDLE = tuple(",;:-–—")
_END = tuple(SENTENCE_ENDS)


def finished(text: str, language: str = "en") -> float:
    """0 (surely more to come) to 1 (surely all); 0.5 where the words tell nothing."""
    stripped = text.strip().rstrip("\"')]”’")
    words = normalised(stripped).split()
    if not words:
        return _EVEN
    tongue = language.replace("_", "-").partition("-")[0].casefold()
    if (digits := _digits_at_the_end(words, tongue)) > 1:
        return _WHOLE_NUMBER if digits >= _WHOLE_NUMBER_DIGITS else _DIGITS_IN_PROGRESS
    if stripped.endswith(_DOTS + _MIDDLE):
        return _MIDDLE_OF_SENTENCE
    if words[-1] in HANGING.get(tongue, ()):
        ends = stripped.endswith(_END) and words[-1] in HANGING_OR_END.get(tongue, ())
        asks = stripped.endswith(tuple(QUESTION_MARKS)) and words[-1] in HANGING_OR_ASKING.get(tongue, ())
        return _EVEN if len(words) > 1 and (ends or asks) else _HANGING_WORD
    return _by_mark(stripped, words[-1] in ENDING_VERBS.get(tongue, ()))


def _by_mark(text: str, ends_with_verb: bool) -> float:
    """What the last mark tells of words that may well end a sentence."""
    if text.endswith(tuple(QUESTION_MARKS)):
        return _QUESTION
    if text.endswith(_END) or ends_with_verb:
        return _WHOLE_SENTENCE
    sets_marks = any(mark in text for mark in (*_END, ","))
    return _UNPUNCTUATED if sets_marks else _EVEN


def _digits_at_the_end(words: list[str], tongue: str) -> int:
    """How many digits stand there, spoken or written."""
    count = 0
    for word in reversed(words):
        if word.isdecimal():
            count += len(word)
        elif word in DIGITS.get(tongue, ()):
            count += 1
        else:
            break
    return count
