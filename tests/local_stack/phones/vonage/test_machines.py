"""An answering machine picks up a call of ours: who it is and when it beeps is told, and it keeps a message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local_stack.phones import wav
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.vonage.options import Direction, MachineDetection
from tests.local_stack.phones.twilio.voice_app import spoken
from tests.local_stack.phones.vonage.voice_app import VoiceApp, voice_app

GREETING = (spoken(1.5, text="leave a message"),)
TO_THE_BEEP = MachineDetection("detect_beep", hangs_up=False)


@pytest.fixture
async def app() -> AsyncIterator[VoiceApp]:
    async with voice_app() as app:
        yield app


def outbound(app: VoiceApp, detection: MachineDetection | None, callee: Callee = Callee.MACHINE, **more: Any) -> Any:
    person = CalledPerson(callee, ring_ms=100, utterances=GREETING)
    options = {"direction": Direction.OUTBOUND, "person": person, "utterances": GREETING, "detection": detection}
    return app.call(**options, plan=person.plan, **more)


async def test_the_message_follows_the_beep(app: VoiceApp, tmp_path: Path) -> None:
    app.replies["answer"] = [(200, [{"action": "talk", "text": "Please call back."}])]
    result = await outbound(app, TO_THE_BEEP, state_dir=tmp_path).run()
    assert [one.get("sub_state") for one in app.of("event") if one["status"] == "machine"] == [None, "beep_start"]
    (greeting,) = [turn for turn in result.turns if turn.text == "leave a message"]
    assert greeting.speech_ended_ms is not None
    assert greeting.first_heard_ms is not None
    assert greeting.first_heard_ms > greeting.speech_ended_ms
    said = wav.read((tmp_path / "calls" / result.call_sid / "caller.wav").read_bytes()).samples
    assert np.abs(said).max() > 0.1


async def test_a_machine_without_detection_is_talked_to_at_once(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [{"action": "talk", "text": "Hello."}])]
    result = await outbound(app, None).run()
    assert not {"human", "machine"} & set(app.statuses())
    assert result.status == "completed"


async def test_a_beep_that_does_not_come_is_told(app: VoiceApp) -> None:
    app.replies["answer"] = [(200, [{"action": "talk", "text": "Hello."}])]
    impatient = MachineDetection("detect_beep", hangs_up=False, beep_timeout_s=0.2)
    await outbound(app, impatient).run()
    assert app.of("event")[-2].get("sub_state") == "beep_timeout"
