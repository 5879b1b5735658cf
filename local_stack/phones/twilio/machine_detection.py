"""Who has picked up: what the carrier makes of the first seconds of an outbound call.

Source: https://www.twilio.com/docs/voice/answering-machine-detection
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from local_stack.phones.people import Callee
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.twilio.options import MachineDetection

_GREETING_OF_A_MACHINE_MS: Final = 1800
"""Who speaks so long without a pause is a machine."""


@dataclass(frozen=True)
class Detected:
    """`human`, `machine_start`, `machine_end_beep`, `fax` or `unknown`, and how long it took."""

    who: str
    took_ms: int


async def detect(line: PhoneLine, callee: Callee, settings: MachineDetection) -> Detected:
    """Listens until it is clear. Raises: LineOver, LineCut."""
    started_ms = line.now_ms()

    def passed_ms() -> float:
        return line.now_ms() - started_ms

    def has_begun() -> bool:
        return line.conversation.turns[-1].speech_started_ms is not None

    def has_ended() -> bool:
        return line.conversation.turns[-1].speech_ended_ms is not None

    if callee is Callee.FAX:
        await line.pause(0.5)
        return Detected("fax", round(passed_ms()))
    if not await line.until(has_begun, settings.silence_timeout_ms / 1000):
        return Detected("unknown", round(passed_ms()))
    if callee is not Callee.MACHINE:
        await line.until(has_ended, settings.timeout_ms / 1000)
        return Detected("human", round(passed_ms()))
    if settings.mode == "Enable":
        await line.pause(_GREETING_OF_A_MACHINE_MS / 1000)
        return Detected("machine_start", round(passed_ms()))
    heard = await line.until(has_ended, settings.timeout_ms / 1000)
    return Detected("machine_end_beep" if heard else "unknown", round(passed_ms()))
