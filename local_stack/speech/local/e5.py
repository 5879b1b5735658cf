"""multilingual-e5-small sentence embeddings in numpy: English, Hindi and a hundred languages more, in one space."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace

from local_stack.speech.local.e5_file import E5File, Floats, read_e5_file, unpacked

MAX_TOKENS = 512
_SPACES = re.compile(" {2,}")

_EVERYDAY = (
    "How can I help you today?",
    "The meeting is at three in the afternoon.",
    "It rained all night and the road is wet.",
    "Please send me the report by Friday.",
    "She plays the violin in an orchestra.",
    "The price of wheat has risen this year.",
    "My computer does not start any more.",
    "A healthy breakfast is important for children.",
    "The train to the city leaves every hour.",
    "He wrote a letter to his grandmother.",
    "मैं आपकी क्या मदद कर सकता हूँ?",
    "बैठक दोपहर तीन बजे है।",
    "रात भर बारिश हुई और सड़क गीली है।",
    "कृपया शुक्रवार तक रिपोर्ट भेज दीजिए।",
    "वह आर्केस्ट्रा में वायलिन बजाती है।",
    "इस साल गेहूँ के दाम बढ़ गए हैं।",
    "मेरा कंप्यूटर अब चालू नहीं होता।",
    "बच्चों के लिए अच्छा नाश्ता ज़रूरी है।",
    "शहर की ट्रेन हर घंटे चलती है।",
    "उसने अपनी दादी को चिट्ठी लिखी।",
)
"""What their vectors have in common says nothing: E5's all point one way, with cosines above 0.7 for whatever there
is. Without it they spread as those of other models do, and one threshold fits."""


class E5:
    """Texts of any language to unit vectors with 384 dimensions."""

    def __init__(self, path: Path) -> None:
        file = read_e5_file(path)
        self._replacements, self._ends, self._epsilon = file.replacements, (file.first, file.last), file.epsilon
        self._words = file.rows("emb.word")
        self._tokenizer = Tokenizer(Unigram(file.vocabulary, file.unknown))
        self._tokenizer.pre_tokenizer = Metaspace()
        self._places = file.floats("emb.pos").reshape(-1, file.width) + file.floats("emb.type")[: file.width]
        self._first = (file.floats("emb.ln.w"), file.floats("emb.ln.b"))
        self._layers = [_Layer(file, number) for number in range(file.layers)]
        self._common: Floats = np.zeros(file.width, np.float32)
        self._common = np.mean([self._vector(self._tokens(f"query: {text}")) for text in _EVERYDAY], axis=0)

    def embed(self, texts: list[str]) -> tuple[list[list[float]], int]:
        """Vectors in the order of the texts, and the number of tokens read."""
        tokens = [self._tokens(_named(text)) for text in texts]
        return [self._vector(each).tolist() for each in tokens], sum(map(len, tokens))

    def _tokens(self, text: str) -> list[int]:
        read = "".join(self._replacements.get(ord(letter), letter) for letter in text)
        first, last = self._ends
        return [first, *self._tokenizer.encode(_SPACES.sub(" ", read)).ids[: MAX_TOKENS - len(self._ends)], last]

    def _vector(self, tokens: list[int]) -> Floats:
        words = unpacked(self._words[tokens]).reshape(len(tokens), -1)
        state = _normal(words + self._places[: len(tokens)], *self._first, self._epsilon)
        for layer in self._layers:
            state = layer(state)
        return _unit(_unit(state.mean(axis=0)) - self._common)


class _Layer:
    """One of BERT's. Source: https://arxiv.org/abs/1810.04805"""

    def __init__(self, file: E5File, number: int) -> None:
        def part(name: str) -> tuple[Floats, Floats]:
            biases = file.floats(f"l{number}.{name}.b")
            return file.floats(f"l{number}.{name}.w").reshape(len(biases), -1).T.copy(), biases

        def norm(name: str) -> tuple[Floats, Floats]:
            return file.floats(f"l{number}.{name}.w"), file.floats(f"l{number}.{name}.b")

        self._asked, self._offered, self._given, self._joined = part("q"), part("k"), part("v"), part("ao")
        self._widened, self._narrowed = part("fi"), part("fo")
        self._after_attention, self._after_all = norm("aln"), norm("oln")
        self._heads, self._epsilon = file.heads, file.epsilon

    def __call__(self, state: Floats) -> Floats:
        """State of each token, before and after: (tokens, width)."""
        seen = _through(self._attended(state), self._joined)
        state = _normal(state + seen, *self._after_attention, self._epsilon)
        thought = _through(_gelu(_through(state, self._widened)), self._narrowed)
        return _normal(state + thought, *self._after_all, self._epsilon)

    def _attended(self, state: Floats) -> Floats:
        asked, offered, given = (
            _through(state, part).reshape(len(state), self._heads, -1).swapaxes(0, 1)
            for part in (self._asked, self._offered, self._given)
        )
        weights = asked @ offered.swapaxes(1, 2) / np.float32(np.sqrt(asked.shape[-1]))
        weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return np.asarray((weights @ given).swapaxes(0, 1).reshape(state.shape))


def _named(text: str) -> str:
    """E5 wants to be told what a text is, which the protocol cannot say: questions have one line, passages more."""
    return f"{'passage' if chr(10) in text else 'query'}: {text}"


def _through(state: Floats, part: tuple[Floats, Floats]) -> Floats:
    return np.asarray(state @ part[0] + part[1])


def _normal(state: Floats, weights: Floats, biases: Floats, epsilon: float) -> Floats:
    away = state - state.mean(axis=-1, keepdims=True)
    return np.asarray(away / np.sqrt((away**2).mean(axis=-1, keepdims=True) + epsilon) * weights + biases)


def _gelu(state: Floats) -> Floats:
    """With the error function as Abramowitz and Stegun have it (7.1.26), within 1.5e-7."""
    size = np.abs(state) * np.float32(np.sqrt(0.5))
    near = 1 / (1 + np.float32(0.3275911) * size)
    sum_ = near * np.float32(1.061405429) - np.float32(1.453152027)
    for number in (1.421413741, -0.284496736, 0.254829592):
        sum_ = sum_ * near + np.float32(number)
    error = np.copysign(1 - sum_ * near * np.exp(-size * size), state)
    return np.asarray(state * (1 + error) / 2)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector))
