"""With which of Amazon Polly's voices a flow speaks: an agent's own, if it is one of them, else its language's.

Source: https://docs.aws.amazon.com/polly/latest/dg/available-voices.html
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PollyVoice:
    """As the flow's block `Set voice` takes it. `language`: of the bot and of the contact."""

    name: str
    language: str
    engine: str = "neural"


_VOICES = (
    PollyVoice("Joanna", "en-US"),
    PollyVoice("Matthew", "en-US"),
    PollyVoice("Ruth", "en-US"),
    PollyVoice("Amy", "en-GB"),
    PollyVoice("Arthur", "en-GB"),
    PollyVoice("Olivia", "en-AU"),
    PollyVoice("Kajal", "en-IN"),
    PollyVoice("Kajal", "hi-IN"),
    PollyVoice("Vicki", "de-DE"),
    PollyVoice("Daniel", "de-DE"),
    PollyVoice("Lea", "fr-FR"),
    PollyVoice("Gabrielle", "fr-CA"),
    PollyVoice("Lucia", "es-ES"),
    PollyVoice("Lupe", "es-US"),
    PollyVoice("Mia", "es-MX"),
    PollyVoice("Bianca", "it-IT"),
    PollyVoice("Camila", "pt-BR"),
    PollyVoice("Ines", "pt-PT"),
    PollyVoice("Laura", "nl-NL"),
    PollyVoice("Ola", "pl-PL"),
    PollyVoice("Kazuha", "ja-JP"),
    PollyVoice("Seoyeon", "ko-KR"),
    PollyVoice("Zhiyu", "cmn-CN"),
    PollyVoice("Hala", "ar-AE"),
    PollyVoice("Elin", "sv-SE"),
    PollyVoice("Ida", "nb-NO"),
    PollyVoice("Sofie", "da-DK"),
    PollyVoice("Suvi", "fi-FI"),
    PollyVoice("Burcu", "tr-TR"),
)
_OTHERWISE = _VOICES[0]


def polly_voice(voice: str, language: str) -> PollyVoice:
    """The voice of that name, where it speaks the language; else the first that does; else an English one."""
    wanted = language.replace("_", "-").lower()
    tongue = wanted.partition("-")[0]
    speaking = [each for each in _VOICES if each.language.lower() == wanted] or [
        each for each in _VOICES if each.language.partition("-")[0] == tongue
    ]
    return next((each for each in speaking if each.name.lower() == voice.lower()), (*speaking, _OTHERWISE)[0])
