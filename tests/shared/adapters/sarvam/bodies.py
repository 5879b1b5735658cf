"""What a voice agent of Sarvam's brings, as a test needs it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

INTERACTION, ATTEMPT = "20261122-i1", "20261122/a1"


def context(**changes: Any) -> dict[str, Any]:
    return {
        "agent_variables": {"patient": "Asha"},
        "internal_variables": {},
        "engagement_metadata": {
            "interaction_id": INTERACTION,
            "interaction_language": "English",
            "app_id": "desk",
            "app_version": 7,
            "agent_phone_number": "15550100018",
        },
        "user_identifier": "+14155550100",
        "initial_language_name": "English",
        "language": "English",
        "allowed_languages": ["English", "Hindi"],
        "end_conversation": False,
    } | changes


def body(utterance: str | None = None, **changes: Any) -> bytes:
    said = {} if utterance is None else {"utterance": utterance}
    return json.dumps({"context": context(**changes), **said}).encode()


def internal(turn: int, told: int = 0, call_id: str = "call-1") -> dict[str, Any]:
    """What we have put into the context of the last answer."""
    return {"voice_agent_call": call_id, "voice_agent_turn": turn, "voice_agent_told": told, "theirs": 1}


def result(**changes: Any) -> dict[str, Any]:
    """Of a call that we placed."""
    return {
        "attempt_id": ATTEMPT,
        "status": "connected",
        "channel_info": {},
        "duration": 42.5,
        "interaction_id": INTERACTION,
        "failure_reason": None,
        "final_agent_variables": {"patient": "Asha", "time": "9:00"},
        "webhook_config": {"url": "https://v.example.com", "metadata": {"call": "call-1"}},
        "interaction_transcript": [
            {"role": "agent", "en_text": "Hello."},
            {"role": "user", "en_text": "I want to come at nine."},
            {"role": "agent", "en_text": "Done."},
        ],
    } | changes


def signed(content: bytes, secret: str, now_ms: float) -> dict[str, str]:
    """The headers of a saved webhook."""
    moment = str(int(now_ms / 1000))
    tag = hmac.new(secret.encode(), moment.encode() + b"." + content, hashlib.sha256).hexdigest()
    return {"sarvam-timestamp": moment, "sarvam-signature": tag}
