"""A language model made of several: who is late is raced, who fails is replaced, also in the middle of an answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from shared.domain.agents.models import ModelChoice
from shared.domain.errors import ContentRefused, LanguageModelError
from shared.ports.language_model import PLAIN, LanguageModel, Message, ToolCall, Usage, Wish
from shared.use_cases.providers.continuation import Continuation, continuing
from shared.use_cases.providers.provider_health import ProviderHealth
from shared.use_cases.providers.racing import EMPTY, Contender, Race

logger = logging.getLogger(__name__)

_STALLED_AFTER_S = 2.0

Item = str | ToolCall | Usage
Chosen = Callable[[Sequence[ModelChoice]], Mapping[str, LanguageModel]]


class FailoverLanguageModel:
    """Fills the port `LanguageModel`. `models`: by the name of their breakers, the preferred one first. `chosen`: the
    same for what a wish names; none where nothing of it is to be had.

    An answer with neither a word nor a tool call in it counts as failed. If the model that answers breaks off, or is
    silent for `stalled_after_s`, what it gave stands, and another one is asked to go on exactly there; where it could
    have called a tool, another one is asked anew, knowing what was said. What has to be of some form comes whole or
    not at all. What a provider's filter refuses, nobody else is asked.
    """

    def __init__(
        self,
        models: Mapping[str, LanguageModel],
        health: ProviderHealth,
        *,
        chosen: Chosen | None = None,
        stalled_after_s: float = _STALLED_AFTER_S,
    ) -> None:
        self._models = dict(models)
        self._health = health
        self._chosen = chosen
        self._stalled_after_s = stalled_after_s

    async def answer(
        self, messages: Sequence[Message], *, call_id: str, wish: Wish = PLAIN
    ) -> AsyncGenerator[Item, None]:
        models = (self._chosen(wish.models) if wish.models and self._chosen else None) or self._models
        if wish.schema is not None:
            items = self._formed(models, messages, call_id, wish)
        else:
            items = self._spoken(models, messages, call_id, wish)
        async with aclosing(items):
            async for item in items:
                yield item

    async def _spoken(
        self, models: Mapping[str, LanguageModel], messages: Sequence[Message], call_id: str, wish: Wish
    ) -> AsyncGenerator[Item, None]:
        said, has_called = "", False
        async with self._race(models, messages, call_id, wish) as race:
            item = await race.first()
            try:
                if isinstance(item, str):
                    said = item
                has_called = isinstance(item, ToolCall)
                yield item
                async with aclosing(race.rest(stalled_after_s=self._stalled_after_s)) as items:
                    async for item in items:
                        if isinstance(item, str):
                            said += item
                        else:
                            has_called = True  # calls come whole, once there are no more words
                        yield item
                return
            except LanguageModelError as error:
                if has_called:
                    logger.info("call %s: an answer broke off after all that matters: %s", call_id, error.code)
                    return
                if isinstance(error, ContentRefused) or not (others := race.others()):
                    raise
        remaining = {name: models[name] for name in others}
        async with aclosing(self._continued(remaining, messages, said, call_id, wish)) as items:
            async for item in items:
                yield item

    async def _continued(
        self, models: Mapping[str, LanguageModel], messages: Sequence[Message], said: str, call_id: str, wish: Wish
    ) -> AsyncGenerator[Item, None]:
        continuation = Continuation(said)
        asked = continuing(messages, said, with_tools=bool(wish.tools))
        async with self._race(models, asked, call_id, replace(wish, late_after_ms=0)) as race:
            try:
                first = await race.first()
            except LanguageModelError as error:
                if error.code == EMPTY:
                    return  # nothing was missing but the end
                raise
            async with aclosing(_all(first, race)) as items:
                async for item in items:
                    if not isinstance(item, str):
                        if text := continuation.flush():
                            yield text
                        yield item
                    elif text := continuation.push(item):
                        yield text
        if text := continuation.flush():
            yield text

    async def _formed(
        self, models: Mapping[str, LanguageModel], messages: Sequence[Message], call_id: str, wish: Wish
    ) -> AsyncGenerator[Item, None]:
        """Nobody listens to it while it is made, so that whoever breaks off is replaced by one that begins anew."""
        remaining = dict(models)
        while True:
            async with self._race(remaining, messages, call_id, wish) as race:
                first = await race.first()
                try:
                    async with aclosing(_all(first, race)) as items:
                        whole = [item async for item in items]
                    break
                except LanguageModelError as error:
                    others = [name for name in race.others() if name not in race.failures]
                    if isinstance(error, ContentRefused) or not others:
                        raise
                remaining = {name: models[name] for name in others}
        for item in whole:
            yield item

    def _race(
        self, models: Mapping[str, LanguageModel], messages: Sequence[Message], call_id: str, wish: Wish
    ) -> Race[Item]:
        contenders = [
            Contender(name, partial(_words, model, messages, call_id=call_id, wish=wish))
            for name, model in models.items()
        ]
        return Race(
            contenders,
            self._health,
            LanguageModelError,
            late_after_ms=wish.late_after_ms,
            decisive=(ContentRefused,),
        )


async def _all(first: Item, race: Race[Item]) -> AsyncGenerator[Item, None]:
    yield first
    async with aclosing(race.rest()) as items:
        async for item in items:
            yield item


async def _words(
    model: LanguageModel, messages: Sequence[Message], *, call_id: str, wish: Wish
) -> AsyncGenerator[Item, None]:
    """The model's items, blank words with the word that follows them. What the answer cost is no answer."""
    blank, has_begun = "", False
    async with aclosing(model.answer(messages, call_id=call_id, wish=wish)) as items:
        async for item in items:
            if isinstance(item, str):
                blank += item
                if item.strip():
                    has_begun = True
                    yield blank
                    blank = ""
            elif has_begun or isinstance(item, ToolCall):
                has_begun = True
                yield item
