from __future__ import annotations

import asyncio

import numpy as np
import pytest

from local_stack.phones import g711
from local_stack.phones.conversation import Plan
from local_stack.phones.mixer import Member, Mixer
from local_stack.phones.phone_line import LineCut, LineFrame, LineOver
from local_stack.phones.provider_ear import ProviderEar
from local_stack.phones.provider_voice import ProviderVoice
from local_stack.phones.utterance import from_digits
from tests.local_stack.phones.lines_for_tests import line_of
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.voice_app import beep, spoken

AT_ONCE = Plan(turns=1, greeting_timeout_ms=0, quiet_ms=200, reply_timeout_ms=60_000)


async def test_time_passes_by_itself_and_is_waited_for() -> None:
    line = line_of()
    began_s = line.clock.monotonic()
    await line.pause(1.0)
    took_ms = (line.clock.monotonic() - began_s) * 1000
    assert 950 <= line.tracks.duration_ms <= took_ms + 250
    assert not await line.until(lambda: False, 0.2)
    assert await line.until(lambda: True)
    await line.stop()
    stopped_ms = line.tracks.duration_ms
    await asyncio.sleep(0.05)
    assert line.tracks.duration_ms == stopped_ms


async def test_several_wait_for_the_same_line() -> None:
    line = line_of()
    began_s = line.clock.monotonic()
    await asyncio.gather(line.pause(0.3), line.pause(0.3), line.pause(0.3))
    took_ms = (line.clock.monotonic() - began_s) * 1000
    assert 250 <= line.tracks.duration_ms <= took_ms + 250
    await line.stop()


async def test_who_waits_learns_that_the_caller_has_gone() -> None:
    line = line_of(Plan(turns=1, greeting_timeout_ms=0, reply_timeout_ms=100), [spoken(0.2)])
    with pytest.raises(LineOver, match="the caller hung up"):
        await line.pause(30)
    await line.stop()
    line = line_of(max_call_ms=200)
    with pytest.raises(LineOver, match="time limit"):
        await line.pause(30)
    await line.stop()


async def test_who_waits_learns_that_something_else_is_wanted() -> None:
    wanted = asyncio.Event()
    line = line_of(is_cut=wanted.is_set)
    waiting = asyncio.create_task(line.pause(60))
    await asyncio.sleep(0.02)
    wanted.set()
    with pytest.raises(LineCut):
        await waiting
    await line.stop()


async def test_while_it_is_handed_over_somebody_else_passes_the_frames() -> None:
    line = line_of()
    line.start()
    async with line.handed_over():
        before_ms = line.tracks.duration_ms
        waiting = asyncio.create_task(line.tick())
        await asyncio.sleep(0.03)
        assert line.tracks.duration_ms == before_ms
        assert not waiting.done()
        line.pass_frame()
        assert isinstance(await waiting, LineFrame)
    await line.pause(0.1)
    await line.stop()


async def test_a_listener_that_fails_is_not_passed_over() -> None:
    line = line_of()

    def fail(_frame: LineFrame) -> None:
        raise RuntimeError("a mistake")

    line.listeners.append(fail)
    with pytest.raises(RuntimeError, match="a mistake"):
        await line.pause(1)
    with pytest.raises(RuntimeError, match="a mistake"):
        await line.stop()


async def test_the_ear_hears_where_speech_begins_and_ends() -> None:
    line, ear = line_of(AT_ONCE, [spoken(0.5, lead_s=0.4, tail_s=0.4)]), ProviderEar(end_silence_ms=300)
    line.listeners.append(ear.take)
    await line.until(lambda: ear.speaking_since_ms is not None, 5)
    began_ms = ear.speaking_since_ms
    await line.until(lambda: bool(ear.speech), 5)
    await line.stop()
    heard = ear.speech.popleft()
    assert heard.started_ms == began_ms
    assert 400 <= heard.ended_ms - heard.started_ms <= 650
    assert g711.is_audible(heard.ulaw_8k[4000:4160])
    assert 800 <= len(heard.ulaw_8k) // 8 <= 1300
    assert ear.speaking_since_ms is None


async def test_the_ear_does_not_take_a_click_for_speech_and_hears_keys() -> None:
    line, ear = line_of(AT_ONCE, [from_digits("4*")]), ProviderEar()
    line.listeners.append(ear.take)
    await line.until(lambda: len(ear.digits) == 2, 5)
    await line.stop()
    assert list(ear.digits) == ["4", "*"]
    click = LineFrame(0.0, beep(0.02), line.playback.play(), None)
    silent = LineFrame(0.0, g711.SILENT_FRAME, line.playback.play(), None)
    for frame in (click, *([silent] * 20), click):
        ear.take(frame)
    assert ear.speaking_since_ms is None
    ear.forget()
    assert not ear.digits


async def test_speech_without_end_is_cut_where_the_provider_cuts_it() -> None:
    line, ear = line_of(AT_ONCE, [spoken(3.0)]), ProviderEar(longest_ms=1000)
    line.listeners.append(ear.take)
    await line.until(lambda: bool(ear.speech), 5)
    await line.stop()
    assert len(ear.speech[0].ulaw_8k) // 8 == 1000


async def test_the_voice_says_one_text_after_the_other_and_knows_what_was_heard() -> None:
    line, speech = line_of(), ToneSpeech()
    voice = ProviderVoice(line, speech)
    voice.say("one two three")
    voice.say("...")
    voice.say(" four five six seven eight ")
    assert voice.is_busy
    await line.until(lambda: line.playback.played >= 8 * 1000 - 160, 10)
    cut = await voice.stop()
    await line.stop()
    assert speech.said == ["one two three", "four five six seven eight"]
    assert cut.heard.startswith("one two three four")
    assert "eight" not in cut.heard
    assert 900 <= cut.heard_ms <= 1300
    assert line.conversation.turn.spoken == "one two three four five six seven eight"
    assert not voice.is_busy


async def test_all_that_is_said_is_heard_and_a_dumb_provider_does_not_hang() -> None:
    line = line_of()
    voice = ProviderVoice(line, ToneSpeech())
    voice.say("one two")
    await voice.finish()
    assert (await voice.stop()).heard == "one two"
    dumb = ProviderVoice(line, ToneSpeech(is_broken=True))
    dumb.say("one two")
    await dumb.finish()
    await line.stop()
    assert "provider_trouble" in [event.name for event in line.log.events]


async def test_lines_in_a_mixer_hear_each_other_and_not_themselves() -> None:
    speaker = line_of(AT_ONCE, [spoken(0.8)])
    listeners = [line_of(), line_of(), line_of()]
    mixer = Mixer()
    mixer.join(Member("speaker", speaker, heard_only_by=""))
    for number, line in enumerate(listeners):
        mixer.join(Member(str(number), line, is_held=number == 2))
    for line in (speaker, *listeners):
        line.start()
    await speaker.until(lambda: speaker.conversation.turn.speech_ended_ms is not None, 5)
    await speaker.pause(0.3)
    for line in (speaker, *listeners):
        await line.stop()
    loudest = [int(np.abs(g711.decode(line.tracks.agent)).max()) for line in (speaker, *listeners)]
    assert loudest[0] == 0
    assert loudest[1] > 5000
    assert loudest[2] > 5000
    assert loudest[3] == 0


async def test_a_coach_is_heard_by_one_only_and_the_muted_by_nobody() -> None:
    coach, muted = line_of(AT_ONCE, [spoken(0.5)]), line_of(AT_ONCE, [spoken(0.5)])
    agent, caller = line_of(), line_of()
    mixer = Mixer()
    mixer.join(Member("coach", coach, heard_only_by="agent"))
    mixer.join(Member("muted", muted, is_muted=True))
    mixer.join(Member("agent", agent))
    mixer.join(Member("caller", caller))
    for line in (coach, muted, agent, caller):
        line.start()
    await coach.pause(1.2)
    mixer.leave("coach")
    for line in (coach, muted, agent, caller):
        await line.stop()
    assert np.abs(g711.decode(agent.tracks.agent)).max() > 5000
    assert np.abs(g711.decode(caller.tracks.agent)).max() == 0
    assert "coach" not in mixer.members
