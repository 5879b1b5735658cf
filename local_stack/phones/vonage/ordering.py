"""An order for an outbound call, as the REST API takes it. Source: https://developer.vonage.com/en/api/voice#createCall"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_stack.phones.vonage import ncco
from local_stack.phones.vonage.book import CallBook
from local_stack.phones.vonage.misbehaviour import Misbehaviour
from local_stack.phones.vonage.ncco_fields import Fields
from local_stack.phones.vonage.options import CallOptions, Direction, MachineDetection


def ordered_options(order: Mapping[str, Any], book: CallBook) -> CallOptions:
    """Raises: ValueError, VonageFault."""
    fields = Fields(order)
    fields.only("to", "from", "ncco", "answer_url", "answer_method", "event_url", "event_method", "ringing_timer",
                "length_timer", "machine_detection", "advanced_machine_detection", "random_from_number")  # fmt: skip
    to, own = fields.single("to"), fields.inner("from")
    for end in (to, own):
        if end.text("type") != "phone":
            raise ValueError("both ends are of type phone")
    for method in ("answer_method", "event_method"):
        if fields.text(method, "POST") != "POST":
            raise ValueError(f"{method} is not POST")
    answer_url = fields.url("answer_url")
    if ("ncco" in order) == (answer_url is not None):
        raise ValueError("there is either an ncco or an answer_url")
    number = f"+{to.phone('number')}"
    person = book.person_at(number)
    return CallOptions(
        account=book.account,
        direction=Direction.OUTBOUND,
        from_number=f"+{own.phone('number')}",
        to_number=number,
        answer_url=answer_url,
        event_url=fields.url("event_url"),
        speech=book.speech,
        people=book.people,
        ncco=ncco.read(order["ncco"]) if "ncco" in order else None,
        utterances=person.utterances,
        plan=person.plan,
        misbehaviours=frozenset(Misbehaviour(name) for name in person.misbehaviours),
        max_call_ms=round(fields.number("length_timer", 7200, 1, 86_400) * 1000),
        state_dir=book.state_dir,
        person=person,
        ring_s=fields.number("ringing_timer", 60, 1, 120),
        detection=_detection(fields),
    )


def _detection(fields: Fields) -> MachineDetection | None:
    if "advanced_machine_detection" not in fields.all:
        plain = fields.text("machine_detection", "")
        return MachineDetection("default", plain == "hangup") if plain else None
    wanted = fields.inner("advanced_machine_detection")
    wanted.only("behavior", "mode", "beep_timeout")
    mode, behaviour = wanted.text("mode", "detect"), wanted.text("behavior", "continue")
    if mode not in ("default", "detect", "detect_beep") or behaviour not in ("continue", "hangup"):
        raise ValueError("mode is default, detect or detect_beep; behavior is continue or hangup")
    return MachineDetection(mode, behaviour == "hangup", wanted.number("beep_timeout", 45, 45, 120))
