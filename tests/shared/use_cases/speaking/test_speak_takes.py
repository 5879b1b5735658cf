"""Speculation: the newest take's sound is made ahead, and nothing of it is heard before the turn is over."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain import pipe_names
from shared.domain.takes import Ended, Failed, Final, Tentative, Withdrawn
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.shared.use_cases.speaking.line import ended, played, sentences, sound, speaker, take

ANSWER = ["Sure,", "I will look for it.", "It is on its way.", "Anything else?"]
OTHER = ["No.", "It is not."]


async def costs(house: House) -> dict[str, float]:
    journal = await house.live_calls.journal(CALL_ID, 1)
    return {name: float(value) for name, value in journal.items() if name.startswith("cost.")}


async def test_nothing_of_a_tentative_take_leaves_the_process(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "Where is it?"))
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(1_000)
    assert tts.said == ANSWER[:2], "and no more is made than is needed to begin"
    assert house.channel.messages == []
    for pipe in (pipe_names.AUDIO, pipe_names.SENT, pipe_names.SPOKEN):
        assert await house.pipe(1, pipe) == []
    assert await house.live_calls.journal(CALL_ID, 1) == {}
    await take(house, 1, Final(1, "Where is it?"))
    assert await task == "completed"
    assert played(house) == sound(tts, *ANSWER)
    assert tts.said == ANSWER, "each once"
    assert await ended(house, 1) == (" ".join(ANSWER), "completed")
    assert await costs(house) == {"cost.characters_spoken": len("".join(ANSWER))}


async def test_what_was_made_ahead_is_played_at_once(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "Where is it?"))
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(500)
    committed_ms = house.clock.now_ms()
    await take(house, 1, Final(1, "Where is it?"))
    await task
    assert house.channel.played[0].from_ms == committed_ms
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert float(journal["first_audio_byte_ms"]) < committed_ms == float(journal["first_frame_sent_ms"])


async def test_before_the_first_send_nothing_but_its_own_entries_is_written(
    house: House, tts: FakeTextToSpeech
) -> None:
    """Each write is a round trip, and these two go together."""
    written: list[str] = []
    append, note, play = house.pipes.append, house.live_calls.note, house.channel.play
    in_flight: set[str] = set()
    together: list[set[str]] = []

    async def slow_append(pipe: str, *arguments: object, **options: object) -> None:
        name = pipe.rpartition(":")[2]
        if name in ("audio", "sent"):
            in_flight.add(name)
            together.append(set(in_flight))
            await house.clock.sleep_ms(5)
            in_flight.discard(name)
        written.append(name)
        await append(pipe, *arguments, **options)  # type: ignore[arg-type]

    async def watched_note(*arguments: object) -> None:
        written.append("note")
        await note(*arguments)  # type: ignore[arg-type]

    async def watched_play(*arguments: object) -> None:
        written.append("play")
        await play(*arguments)  # type: ignore[arg-type]

    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "?"))
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(500)
    house.pipes.append, house.live_calls.note, house.channel.play = slow_append, watched_note, watched_play  # type: ignore[method-assign, assignment]
    await take(house, 1, Final(1, "?"))
    committed_ms = house.clock.now_ms()
    await task
    before = [name for name in written[: written.index("play")] if name != "frames"]
    assert sorted(before) == ["audio", "sent", "transcript"]
    assert {"audio", "sent"} in together
    assert house.channel.played[0].from_ms - committed_ms == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("is_withdrawn", [True, False], ids=["withdrawn", "overtaken"])
async def test_an_older_take_is_thrown_away(house: House, tts: FakeTextToSpeech, is_withdrawn: bool) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    tts.stalls_ms[ANSWER[0]] = 10_000
    await take(house, 1, Tentative(1, "Where"))
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(300)
    if is_withdrawn:
        await take(house, 1, Withdrawn(1))
        await house.clock.sleep_ms(1)
        assert tts.cancelled == [ANSWER[0]]
    await take(house, 1, Final(2, "Where is it not?"))
    await house.clock.sleep_ms(1)
    assert tts.cancelled == [ANSWER[0]], "at once"
    await sentences(house, 1, *OTHER, take=2)
    assert await task == "completed"
    assert played(house) == sound(tts, *OTHER)
    assert await ended(house, 1) == (" ".join(OTHER), "completed")
    assert await costs(house) == {
        "cost.characters_withdrawn": len(ANSWER[0]),
        "cost.characters_spoken": len("".join(OTHER)),
    }


async def test_sound_of_an_older_take_is_not_kept(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "Where"))
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(300)
    await take(house, 1, Tentative(2, "Where is"))
    await take(house, 1, Withdrawn(2))
    await take(house, 1, Final(3, "Where is it not?"))
    await sentences(house, 1, *OTHER, take=3)
    await house.clock.sleep_ms(200)
    kept = await house.pipes.read(pipe_names.turn(CALL_ID, 1, pipe_names.AUDIO))
    assert b"".join(entry.fields[b"pcm"] for entry in kept) == sound(tts, *OTHER)
    await task
    assert played(house) == sound(tts, *OTHER)


async def test_sentences_may_come_before_their_take(house: House, tts: FakeTextToSpeech) -> None:
    await sentences(house, 1, *OTHER, take=2)
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(100)
    assert tts.said == []
    await take(house, 1, Final(2, "?"))
    assert await task == "completed"
    assert played(house) == sound(tts, *OTHER)


async def test_an_apology_for_words_that_nobody_knows(house: House, tts: FakeTextToSpeech) -> None:
    await take(house, 1, Failed(1))
    await sentences(house, 1, "I am sorry.", outcome="failed")
    assert await speaker(house, tts)(turn_request(1)) == "failed"
    assert await ended(house, 1) == ("I am sorry.", "failed")


async def test_a_call_that_ends_before_the_turn_does(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "Where"))
    await sentences(house, 1, *ANSWER)
    await house.clock.sleep_ms(300)
    await take(house, 1, Ended())
    assert await task == "unheard"
    assert house.channel.messages == []
    assert await costs(house) == {"cost.characters_withdrawn": len("".join(ANSWER[:2]))}


async def test_thinking_that_ends_without_an_answer(house: House, tts: FakeTextToSpeech) -> None:
    await take(house, 1, Final(1, "?"))
    await house.write(1, pipe_names.SENTENCES, {"event": "end"}, pipe_names.END_POSITION)
    assert await speaker(house, tts)(turn_request(1)) == "unheard"


async def test_a_worker_that_dies_before_the_commit(house: House, tts: FakeTextToSpeech) -> None:
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await take(house, 1, Tentative(1, "Where"))
    await take(house, 1, Tentative(2, "Where is it?"))
    await sentences(house, 1, *OTHER, take=1)
    await sentences(house, 1, *ANSWER, take=2)
    await house.clock.sleep_ms(300)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await take(house, 1, Final(2, "Where is it?"))
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert played(house) == sound(tts, *ANSWER)


async def test_what_is_no_word_is_not_sounded(house: House, tts: FakeTextToSpeech) -> None:
    await take(house, 1, Final(1, "?"))
    await sentences(house, 1, "Sure.", "…", "Yes.")
    assert await speaker(house, tts)(turn_request(1)) == "completed"
    assert tts.said == ["Sure.", "Yes."]
