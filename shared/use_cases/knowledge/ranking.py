"""Orders passages that an index found by likeness alone, with the words of the question counted in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from shared.domain.knowledge.scores import with_words, words_of
from shared.ports.knowledge import Passage


def ranked(question: str, candidates: Sequence[Passage], most: int) -> list[Passage]:
    """The best first. The fewer candidates have a word, the more it tells; one that all have tells nothing."""
    texts = [words_of(f"{each.title} {each.place} {each.text}") for each in candidates]
    telling = {word: _tells(sum(word in text for text in texts), len(texts)) for word in words_of(question)}
    everything = sum(telling.values())
    scored = []
    for each, text in zip(candidates, texts, strict=True):
        share = sum(weight for word, weight in telling.items() if word in text) / everything if everything else 0.0
        scored.append((with_words(each.score, share), share, each))
    best = sorted(scored, key=lambda item: item[:2], reverse=True)[:most]
    return [replace(each, score=score) for score, _, each in best]


def _tells(having: int, count: int) -> float:
    """How much a word does, which so many of the candidates have."""
    return math.log(count + max(having, 1)) - math.log(2 * max(having, 1))
