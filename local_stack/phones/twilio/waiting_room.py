"""What a caller hears who waits for a conference to begin: the app's own sounds, or the carrier's music.

Source: https://www.twilio.com/docs/voice/twiml/conference#attributes-waitUrl
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from local_stack.phones import g711, wav
from local_stack.phones.floor import AGENT_SPEAKS_ON, UNKNOWN
from local_stack.phones.provider_voice import ProviderVoice
from local_stack.phones.resampling import to_telephone
from local_stack.phones.tones import tone
from local_stack.phones.twilio import twiml
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.forms import voice_fields
from local_stack.phones.twilio.speaking import perform_prompts
from local_stack.phones.twilio.stage import Stage
from local_stack.phones.twilio.verbs import Conference, Pause, Play, Prompt, Redirect, Say

_CHORD_HZ: Final = (262, 330, 392, 523)
_NOTE_MS: Final = 500
_MUSIC: Final = b"".join(tone(_NOTE_MS, pitch, pitch / 2) for pitch in _CHORD_HZ)
_SHORTEST_ROUND_MS: Final = 500
"""An app that has nothing to be heard is not asked again at once."""
_PLAYED: Final = (Play, Say, Pause, Redirect)


async def wait_in(stage: Stage, wanted: Conference, is_over: Callable[[], bool]) -> None:
    """Until it is over; nothing of it is heard after that. Raises: LineOver, LineCut."""
    entertaining = asyncio.create_task(_entertain(stage, wanted))
    stage.line.floor = AGENT_SPEAKS_ON
    try:
        await stage.line.until(lambda: is_over() or entertaining.done())
        if not is_over():
            await entertaining
            await stage.line.until(is_over)
    finally:
        entertaining.cancel()
        await asyncio.gather(entertaining, return_exceptions=True)
        stage.line.playback.clear()
        stage.line.floor = UNKNOWN


async def _entertain(stage: Stage, wanted: Conference) -> None:
    """Without end, unless there is nothing to be heard. Raises: LineOver, LineCut."""
    if wanted.wait_url is None:
        return await _play_music(stage)
    url, method = wanted.wait_url, wanted.wait_method
    while url:
        began_ms = stage.line.now_ms()
        try:
            url, method = await _one_round(stage, url, method) or (wanted.wait_url, wanted.wait_method)
        except CarrierFault as fault:
            stage.note(fault)
            return None
        spent_ms = stage.line.now_ms() - began_ms
        await stage.line.pause(max(0.0, _SHORTEST_ROUND_MS - spent_ms) / 1000)
    return None


async def _play_music(stage: Stage) -> None:
    while True:
        stage.line.play(_MUSIC)
        await stage.line.until(lambda: stage.line.playback.waiting_ms < _NOTE_MS)


async def _one_round(stage: Stage, url: str, method: str) -> tuple[str, str] | None:
    """What is at the address is heard to its end; where it leads on to. Raises: CarrierFault, LineOver, LineCut."""
    context = stage.context
    fields = voice_fields(context.options, context.sid, context.state.status)
    answer = await stage.sender.send(stage.sender.prepare("wait", method, url, fields))
    if answer.content_type.startswith("audio/"):
        await _hear(stage, url, answer.body)
        return None
    prompts: list[Prompt] = []
    for verb in twiml.parse(answer.body, url):
        if not isinstance(verb, _PLAYED):
            raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"<{type(verb).__name__}> is not for those who wait")
        if isinstance(verb, Redirect):
            await perform_prompts(stage, prompts)
            return verb.url, verb.method
        prompts.append(verb)
    await perform_prompts(stage, prompts)
    return None


async def _hear(stage: Stage, url: str, body: bytes) -> None:
    """Raises: CarrierFault, LineOver, LineCut."""
    try:
        recording = wav.read(body)
    except wav.UnusableAudio as error:
        raise CarrierFault(ErrorCode.INVALID_CONTENT_TYPE, f"{url} cannot be played: {error}") from None
    voice: ProviderVoice = stage.voice()
    voice.play(g711.encode(to_telephone(recording.samples, recording.rate_hz)))
    await voice.finish()
