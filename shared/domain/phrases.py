"""What an agent says besides its answers, in a language that is not its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from shared.domain.call import Agent
from shared.domain.fillers import apology_of, fillers_of, has_apology, has_fillers
from shared.domain.language_switch import primary


@dataclass(frozen=True, slots=True)
class Phrases:
    """In `language` (a tag). `apology` and `fillers` are empty where those of the language, or of the agent, do."""

    language: str
    apology: str = ""
    fillers: tuple[str, ...] = ()

    def to_text(self) -> str:
        document = {"language": self.language, "apology": self.apology, "fillers": list(self.fillers)}
        return json.dumps(document, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """None where nothing was written."""
        if not text:
            return None
        document: Mapping[str, Any] = json.loads(text)
        return cls(document["language"], document["apology"], tuple(document["fillers"]))


def to_translate(agent: Agent, tag: str) -> tuple[str, tuple[str, ...]]:
    """The apology and the fillers of which there are none in the language of the tag; "" and none where there are."""
    if primary(tag) == primary(agent.language):
        return "", ()
    apology = apology_of(agent) if agent.manner.apology or not has_apology(tag) else ""
    fillers = fillers_of(agent) if agent.manner.fillers or not has_fillers(tag) else ()
    return apology, fillers


def speaking(agent: Agent, tag: str, phrases: Phrases | None = None) -> Agent:
    """The agent in the language of the tag. What has not been translated into it is said in the language's own
    phrases, else as it was written.
    """
    if primary(tag) == primary(agent.language):
        return agent if tag == agent.language else replace(agent, language=tag)
    known = phrases if phrases is not None and phrases.language == tag else Phrases(tag)
    fillers = known.fillers or (() if has_fillers(tag) else fillers_of(agent))
    apology = known.apology or ("" if has_apology(tag) else apology_of(agent))
    languages = tuple(dict.fromkeys((*agent.manner.languages, agent.language)))
    manner = replace(agent.manner, apology=apology, fillers=fillers, languages=languages)
    return replace(agent, language=tag, manner=manner)
