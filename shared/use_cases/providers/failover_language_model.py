"""A language model made of several: who is late is raced, who fails is replaced, also in the middle of an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial

from shared.domain.errors import LanguageModelError
from shared.ports.language_model import LanguageModel, Message
from shared.use_cases.providers.continuation import Continuation, continuing
from shared.use_cases.providers.provider_health import ProviderHealth
from shared.use_cases.providers.racing import EMPTY, Contender, Race

_STALLED_AFTER_S = 2.0


class FailoverLanguageModel:
    """Fills the port `LanguageModel`. `models`: by the name of their breakers, the preferred one first.

    An answer without a word in it counts as failed. If the model that answers breaks off, or is silent for
    `stalled_after_s`, what it gave stands, and another one is asked to go on exactly there.
    """

    def __init__(
        self,
        models: Mapping[str, LanguageModel],
        health: ProviderHealth,
        *,
        stalled_after_s: float = _STALLED_AFTER_S,
    ) -> None:
        self._models = dict(models)
        self._health = health
        self._stalled_after_s = stalled_after_s

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[str, None]:
        async with self._race(list(self._models), messages, call_id, late_after_ms) as race:
            said = await race.first()
            yield said
            try:
                async with aclosing(race.rest(stalled_after_s=self._stalled_after_s)) as tokens:
                    async for token in tokens:
                        said += token
                        yield token
                return
            except LanguageModelError:
                if not (others := race.others()):
                    raise
        async with aclosing(self._continued(others, messages, said, call_id)) as tokens:
            async for token in tokens:
                yield token

    async def _continued(
        self, names: Sequence[str], messages: Sequence[Message], said: str, call_id: str
    ) -> AsyncGenerator[str, None]:
        continuation = Continuation(said)
        async with self._race(names, continuing(messages, said), call_id, 0) as race:
            try:
                if text := continuation.push(await race.first()):
                    yield text
            except LanguageModelError as error:
                if error.code == EMPTY:
                    return  # nothing was missing but the end
                raise
            async with aclosing(race.rest()) as tokens:
                async for token in tokens:
                    if text := continuation.push(token):
                        yield text
        if text := continuation.flush():
            yield text

    def _race(self, names: Sequence[str], messages: Sequence[Message], call_id: str, late_after_ms: int) -> Race[str]:
        contenders = [
            Contender(name, partial(_words, self._models[name], messages, call_id=call_id)) for name in names
        ]
        return Race(contenders, self._health, LanguageModelError, late_after_ms=late_after_ms)


async def _words(model: LanguageModel, messages: Sequence[Message], *, call_id: str) -> AsyncGenerator[str, None]:
    """The model's tokens, blank ones with the word that follows them."""
    blank = ""
    async with aclosing(model.answer(messages, call_id=call_id)) as tokens:
        async for token in tokens:
            blank += token
            if token.strip():
                yield blank
                blank = ""
