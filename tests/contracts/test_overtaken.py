"""Two workers, each with connections of its own to a real Redis, run the same step at once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from shared.adapters.system_clock.clock import SystemClock
from shared.domain import pipe_names, takes
from shared.domain.call import Provider
from shared.domain.manner import Manner
from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import Line
from shared.ports.live_calls import LiveCall
from shared.ports.media_codec import DecodedFrame
from shared.use_cases.speaking.speak import Speak
from shared.use_cases.texting.speak_words import SpeakWords
from tests.contracts.redis_pipes import RedisAdapters, redis_adapters
from tests.fakes.call import NORA, TENANT_ID
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.stores import FakeDirectory, FakeFileStore
from tests.fakes.telephony import FakeMediaChannel, FakeMediaChannels
from tests.fakes.text_channel import FakeTextChannel
from tests.shared.use_cases.speaking.line import FakePrepared

_SENTENCES = ("Let me have a look.", "It is on its way.", "It comes tomorrow.", "Is there more?")
_CALLS = 12


class _TimelessDecoder:
    def decode(self, payload: bytes) -> DecodedFrame:
        return DecodedFrame(b"", 0)


@dataclass
class _Call:
    """What both workers of a call share: the line, and nothing else but Redis."""

    request: TurnRequest
    clock: SystemClock
    directory: FakeDirectory
    channel: FakeMediaChannel
    text_channel: FakeTextChannel
    tts: FakeTextToSpeech

    def speak(self, worker: RedisAdapters) -> Speak:
        return Speak(
            pipes=worker.pipes,
            live_calls=worker.live_calls,
            directory=self.directory,
            text_to_speech=self.tts,
            channels=FakeMediaChannels(self.channel),
            decoder_of=lambda live, from_ms: _TimelessDecoder(),
            files=FakeFileStore(),
            clock=self.clock,
            prepared=FakePrepared(self.clock),  # type: ignore[arg-type]
        )

    def speak_words(self, worker: RedisAdapters) -> SpeakWords:
        return SpeakWords(worker.pipes, worker.live_calls, self.directory, self.text_channel, self.clock)


async def _running(worker: RedisAdapters, line: Line) -> _Call:
    """A call whose turn 1 is answered sentence by sentence."""
    call_id, clock = uuid4().hex, SystemClock()
    agent = replace(NORA, manner=Manner(filler_after_ms=0))
    live = LiveCall(call_id, TENANT_ID, NORA.agent_id, Provider(line.provider), call_id, line)
    await worker.live_calls.open(live)
    await worker.live_calls.attach(call_id, hub="h", connection_id="c", stream_id="", at_ms=int(clock.now_ms()))
    spoken = pipe_names.turn(call_id, 0, pipe_names.SPOKEN)
    await worker.pipes.append(spoken, {"event": "end", "said": ""}, position=pipe_names.END_POSITION)
    channel = FakeMediaChannel(clock, worker.pipes, call_id)
    tts = FakeTextToSpeech(clock, ms_per_character=20)  # type: ignore[arg-type]
    request = TurnRequest(TENANT_ID, call_id, 1)
    return _Call(request, clock, FakeDirectory(agent, numbers={}), channel, FakeTextChannel(), tts)


async def _answer(worker: RedisAdapters, call: _Call, every_s: float) -> None:
    call_id = call.request.call_id
    transcript, sentences = (
        pipe_names.turn(call_id, 1, name) for name in (pipe_names.TRANSCRIPT, pipe_names.SENTENCES)
    )
    position, fields = takes.written(takes.Final(1, "?"))
    await worker.pipes.append(transcript, fields, position=position)
    for number, text in enumerate(_SENTENCES, start=1):
        await asyncio.sleep(every_s)
        await worker.pipes.append(sentences, {"text": text}, position=takes.sentence_position(1, number))
    end = {"event": "answer_end", "outcome": ""}
    await worker.pipes.append(sentences, end, position=takes.answer_end_position(1))


async def _race(first: RedisAdapters, second: RedisAdapters, line: Line, seed: int) -> _Call:
    rng = random.Random(seed)
    call = await _running(first, line)
    step = call.speak if line is Line.WEB else call.speak_words
    answering = asyncio.create_task(_answer(first, call, every_s=0.05))
    older = asyncio.create_task(step(first)(call.request))
    await asyncio.sleep(rng.uniform(0.0, 0.5))
    newer = asyncio.create_task(step(second)(call.request))
    await answering
    if line is Line.WEB:
        assert await older == await newer == "completed"
    else:  # what may be broken into counts as said much later
        await asyncio.wait({older, newer}, timeout=1.5)
        for task in (older, newer):
            assert not task.done() or task.result()
            task.cancel()
        await asyncio.gather(older, newer, return_exceptions=True)
    await call.channel.finish()
    return call


@pytest.mark.slow
async def test_two_workers_race_for_the_sound_of_an_answer(redis_url: str) -> None:
    async with redis_adapters(redis_url) as first, redis_adapters(redis_url) as second:
        calls = await asyncio.gather(*(_race(first, second, Line.WEB, seed) for seed in range(_CALLS)))
    for call in calls:
        whole = b"".join(call.tts.sound_of(sentence) for sentence in _SENTENCES)
        pieces = [piece.pcm for piece in call.channel.played]
        rests = (b"".join([*pieces[:number], *pieces[number + 1 :]]) for number in range(len(pieces)))
        assert b"".join(pieces) == whole or whole in rests


@pytest.mark.slow
async def test_two_workers_race_for_the_words_of_an_answer(redis_url: str) -> None:
    async with redis_adapters(redis_url) as first, redis_adapters(redis_url) as second:
        calls = await asyncio.gather(*(_race(first, second, Line.TWILIO_RELAY, seed) for seed in range(_CALLS)))
    for call in calls:
        words = call.text_channel.words
        assert len(words) <= len(_SENTENCES) + 1, words
        assert list(dict.fromkeys(words)) == list(_SENTENCES)
