"""What the flow is told to do next: a flat object of texts, which its blocks read as `$.External.…`.

Source: https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html#verify-function
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import escape

from shared.adapters.connect.flow_events import FlowRequest
from shared.adapters.connect.polly import polly_voice
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import Line
from shared.domain.telephony.text_turns import Next, TextReply

LONGEST_ANSWER_BYTES = 32 * 1024
"""Of the whole answer in UTF-8; a longer one takes the flow's error branch."""
LONGEST_SPOKEN = 2_500
"""Characters in one go: Polly takes 3,000 that it bills. Source: Amazon Polly's quotas for SynthesizeSpeech"""
SILENCE = '<speak><break time="200ms"/></speak>'
"""What is played where there is nothing to say: a prompt without words takes the error branch."""
_ACTIONS = {
    Next.LISTEN: "say_and_listen",
    Next.COME_AGAIN: "come_again",
    Next.TRANSFER: "transfer",
    Next.HANG_UP: "hang_up",
}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_RING_S = 600
_MOST_KEYS = 50


def flow_answer(reply: TextReply, request: FlowRequest) -> dict[str, str]:
    """The answer to this request. What would not fit is left for when the flow comes again.

    `turn` is what the flow has to ask for next; `words`, `keys` and `told` are for its coming again. `listens`: the
    caller may speak into what there is of an answer, and so takes the `next_turn`.
    """
    reply = fitting(reply)
    voice = polly_voice(reply.voice, reply.language)
    turn = reply.turn + 1 if reply.next is Next.LISTEN else reply.turn
    answer = {
        "action": _ACTIONS[reply.next],
        "mode": request.mode,
        "op": request.op.value,
        "turn": str(turn),
        "next_turn": str(reply.turn + 1),
        "listens": "true" if reply.next is Next.COME_AGAIN and request.interruptible else "false",
        "rest": "",
        "told": str(reply.told if reply.next is Next.COME_AGAIN else 0),
        "words": request.words or "",
        "keys": request.keys,
        "answered": "true" if request.was_answered else "false",
        "tries": "0",
        "text": reply.text,
        "ssml": ssml(reply.text),
        "interruptible": "true" if request.interruptible else "false",
        "polly_voice": voice.name,
        "polly_engine": voice.engine,
        "polly_language": voice.language,
        **transfer_fields(reply.transfer),
    }
    if len(json.dumps(answer, ensure_ascii=False).encode()) > LONGEST_ANSWER_BYTES:
        return answer | {"words": "", "text": ""}
    return answer


def mode_of(line: Line) -> str:
    """Who asks us during a call: the flow, or its bot."""
    return "lex" if line is Line.CONNECT_LEX else "turn"


def fitting(reply: TextReply, longest: int = LONGEST_SPOKEN) -> TextReply:
    """As much of the reply as is spoken in one go, cut after a sentence; the flow comes again for the rest.

    A single sentence that is too long by itself is cut after a word.
    """
    kept: list[str] = []
    room = longest
    for sentence in reply.sentences:
        if len(sentence) + 1 > room:
            break
        kept.append(sentence)
        room -= len(sentence) + 1
    if len(kept) == len(reply.sentences):
        return reply
    if not kept:
        kept = [_cut(reply.sentences[0], longest)]
        if len(reply.sentences) == 1:
            return replace(reply, sentences=tuple(kept))
    left = len(reply.sentences) - len(kept)
    return replace(reply, sentences=tuple(kept), told=reply.told - left, next=Next.COME_AGAIN, transfer=None)


def transfer_fields(transfer: Transfer | None) -> dict[str, str]:
    """`dest`, `ring_s`, and `dtmf`: the keys that Connect plays once the other end has answered."""
    if transfer is None:
        return {"dest": "", "ring_s": "", "dtmf": ""}
    keys = transfer.keys.replace("W", ",,").replace("w", ",")
    return {
        "dest": transfer.to,
        "ring_s": str(min(transfer.ring_s, _LONGEST_RING_S)),
        "dtmf": "".join(key for key in keys if key in "0123456789,*#")[:_MOST_KEYS],
    }


def ssml(text: str) -> str:
    """The text as a document that can always be played."""
    plain = _NOT_XML.sub("", text)
    return f"<speak>{escape(plain, quote=False)}</speak>" if plain.strip() else SILENCE


def _cut(sentence: str, longest: int) -> str:
    head = sentence[:longest]
    return head.rpartition(" ")[0] or head
