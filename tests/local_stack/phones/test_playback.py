from __future__ import annotations

from local_stack.phones.g711 import SILENT_FRAME
from local_stack.phones.playback import PlaybackBuffer
from tests.local_stack.phones.twilio.voice_app import beep


def test_an_empty_buffer_plays_silence() -> None:
    played = PlaybackBuffer().play()
    assert (played.payload, played.audible, played.dry_bytes) == (SILENT_FRAME, False, 160)


def test_any_size_comes_out_in_order_in_frames_of_20_ms() -> None:
    buffer, voice = PlaybackBuffer(), beep(0.05)
    assert buffer.add(voice[:7])
    buffer.add(voice[7:300])
    buffer.add(voice[300:])
    assert buffer.waiting_ms == 50
    frames = [buffer.play() for _ in range(4)]
    assert b"".join(frame.payload for frame in frames)[:400] == voice
    assert [frame.dry_bytes for frame in frames] == [0, 0, 80, 160]
    assert not buffer.audible_waiting


def test_a_mark_is_reached_when_all_before_it_is_played() -> None:
    buffer = PlaybackBuffer()
    buffer.add(beep(0.04))
    buffer.mark("a")
    buffer.add(beep(0.02))
    buffer.mark("b")
    assert buffer.reached_marks() == []
    buffer.play()
    assert buffer.reached_marks() == []
    buffer.play()
    assert buffer.reached_marks() == ["a"]
    buffer.play()
    assert buffer.reached_marks() == ["b"]
    assert buffer.reached_marks() == []


def test_a_mark_on_an_empty_buffer_is_reached_at_once() -> None:
    buffer = PlaybackBuffer()
    buffer.mark("now")
    assert buffer.reached_marks() == ["now"]


def test_clear_drops_the_audio_and_gives_back_every_waiting_mark_once() -> None:
    buffer = PlaybackBuffer()
    buffer.add(beep(0.1))
    buffer.mark("a")
    buffer.add(beep(0.1))
    buffer.mark("b")
    buffer.play()
    assert buffer.clear() == ["a", "b"]
    assert buffer.waiting_ms == 0
    assert not buffer.audible_waiting
    assert buffer.play().payload == SILENT_FRAME
    buffer.add(beep(0.02))
    buffer.mark("c")
    assert buffer.reached_marks() == []
    assert buffer.play().audible
    assert buffer.reached_marks() == ["c"]


def test_silence_that_waits_is_not_something_to_hear() -> None:
    buffer = PlaybackBuffer()
    assert not buffer.add(SILENT_FRAME * 10)
    assert not buffer.audible_waiting
    buffer.add(beep(0.02) + SILENT_FRAME * 10)
    for _ in range(11):
        assert buffer.audible_waiting
        buffer.play()
    assert not buffer.audible_waiting
