"""`<Say>`, `<Play>` and `<Pause>`, by themselves and as what is heard while the carrier gathers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from local_stack.phones import tones
from local_stack.phones.provider_voice import ProviderVoice
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.stage import Stage
from local_stack.phones.twilio.verbs import Pause, Play, Prompt, Say

_ENDLESS: Final = 20
"""As often is played what is to be played without end; the call is over before."""


async def perform_prompts(stage: Stage, prompts: Sequence[Prompt]) -> None:
    """One after the other, heard to the end. Raises: LineOver, LineCut."""
    voice = stage.voice()
    try:
        for prompt in prompts:
            await _perform(stage, voice, prompt)
    finally:
        await voice.stop()


async def _perform(stage: Stage, voice: ProviderVoice, prompt: Prompt) -> None:
    match prompt:
        case Say(text, language, loop):
            for _ in range(loop or _ENDLESS):
                voice.say(text, language)
            await voice.finish()
        case Play(url, digits, loop):
            voice.play(await _sound(stage, url, digits) * (loop or _ENDLESS))
            await voice.finish()
        case Pause(seconds):
            await stage.line.pause(seconds)


async def _sound(stage: Stage, url: str | None, digits: str) -> bytes:
    if url is None:
        stage.log.add("keys_sent", digits=digits)
        return tones.keys(digits)
    try:
        return await stage.sound_at(url)
    except CarrierFault as fault:
        stage.note(fault)
        return b""
