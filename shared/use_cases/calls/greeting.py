"""A call's greeting is turn 0's answer: it needs no hearing and no thinking."""

from __future__ import annotations

from shared.domain import pipe_names, takes
from shared.ports.pipes import Pipes


async def write_greeting(pipes: Pipes, call_id: str, greeting: str) -> None:
    """Whoever speaks in turn 0 says this, or nothing. Written again it changes nothing."""
    sentences = pipe_names.turn(call_id, 0, pipe_names.SENTENCES)
    if greeting:
        await pipes.append(sentences, {"text": greeting}, position=takes.sentence_position(1, 1))
    answer_end = {"event": "answer_end", "outcome": ""}
    await pipes.append(sentences, answer_end, position=takes.answer_end_position(1))
    await pipes.append(sentences, {"event": "end"}, position=pipe_names.END_POSITION)
    position, fields = takes.written(takes.Final(1, ""))
    await pipes.append(pipe_names.turn(call_id, 0, pipe_names.TRANSCRIPT), fields, position=position)
