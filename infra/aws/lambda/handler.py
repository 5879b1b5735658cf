"""The function on AWS that stands between Amazon Connect and the voice agent.

Connect calls nobody over HTTP. Its flow, its Lex bot and EventBridge invoke this function, which signs what they say,
brings it to the app, and gives back an answer that the flow can play, also when the app is away. Standard library
only; Python 3.12.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import answers
import vault

logger = logging.getLogger()
logger.setLevel(logging.INFO)

LIMIT_MS = 8_000
"""Of a flow's block, by Amazon Connect. Source: …/adminguide/invoke-lambda-function-block.html"""
_MARGIN_MS = 900
"""Kept for the way back to Connect."""
_LONGEST_ATTEMPT_S = 5.0
"""So that there is time for another; the app itself says after about four seconds that it should be asked again."""
_SHORTEST_ATTEMPT_MS = 1_200
_RETRY_PAUSE_S = 0.2
_RETRYABLE = frozenset({429, 500, 502, 503, 504})
_LARGEST_ANSWER_BYTES = 64 * 1024


class AppAway(Exception):
    """No usable answer in time; the message is one line without personal data."""


def handler(event: dict[str, Any], context: Any) -> Any:
    """Entry point. Never raises for a flow or a bot: what they get can always be played."""
    until = time.monotonic() + (min(LIMIT_MS, context.get_remaining_time_in_millis()) - _MARGIN_MS) / 1000
    if event.get("source") == "aws.connect":
        # An event that was not brought is brought again by EventBridge, so this may fail.
        return bring("contact-event", event, context.aws_request_id, until)
    if "sessionState" in event:
        return _lex(event, context, until)
    return _flow(event, context, until)


def _flow(event: dict[str, Any], context: Any, until: float) -> dict[str, str]:
    parameters = (event.get("Details") or {}).get("Parameters") or {}
    door = "gateway" if parameters.get("op") == "gateway" else "turn"
    try:
        answer = bring(door, event, context.aws_request_id, until)
    except AppAway as error:
        logger.warning("%s: %s", door, error)
        return answers.flow_without_app(parameters)
    return {name: text for name, text in answer.items() if isinstance(text, str)}


def _lex(event: dict[str, Any], context: Any, until: float) -> dict[str, Any]:
    attributes = event["sessionState"].get("sessionAttributes") or {}
    if attributes.get("mode") != "lex":
        return answers.heard(event)
    try:
        return bring("lex", event, context.aws_request_id, until)
    except AppAway as error:
        logger.warning("lex: %s", error)
        return answers.lex_without_app(event)


def bring(door: str, event: dict[str, Any], request_id: str, until: float) -> dict[str, Any]:
    """The app's answer, asked at most twice before `until` (monotonic seconds). Raises: AppAway."""
    url = f"{os.environ['APP_URL'].rstrip('/')}/api/webhooks/connect/{door}"
    why = "no time left"
    for attempt in (1, 2):
        left_s = until - time.monotonic()
        if left_s * 1000 < _SHORTEST_ATTEMPT_MS:
            break
        timeout_s = min(left_s, _LONGEST_ATTEMPT_S)
        body = json.dumps({"request_id": request_id, "remaining_ms": int(timeout_s * 1000), "event": event})
        try:
            return _ask(url, body.encode(), timeout_s)
        except vault.NoSecret as error:
            raise AppAway(str(error)) from error
        except urllib.error.HTTPError as error:
            why = f"the app answered {error.code}"
            error.close()
            if error.code not in _RETRYABLE:
                break
        except (OSError, ValueError) as error:
            why = f"the app gives no answer: {type(error).__name__}"
        if attempt == 1:
            time.sleep(_RETRY_PAUSE_S)
    raise AppAway(why)


def _ask(url: str, body: bytes, timeout_s: float) -> dict[str, Any]:
    """Raises: OSError, ValueError."""
    headers = {"Content-Type": "application/json", **sign(vault.secret(), "POST", urlsplit(url).path, body)}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310  set by the owner
    with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310
        text = response.read(_LARGEST_ANSWER_BYTES + 1)
    if response.status == 204:
        return {}
    if len(text) > _LARGEST_ANSWER_BYTES:
        raise ValueError("the answer is too large")
    answer = json.loads(text)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")
    return answer


def sign(secret: str, method: str, path: str, body: bytes) -> dict[str, str]:
    """Headers that prove who asks; each attempt has its own nonce, or the app would take it for a repetition."""
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    signed = f"{timestamp}\n{nonce}\n{method} {path}\n".encode() + body
    return {
        "X-Voice-Timestamp": timestamp,
        "X-Voice-Nonce": nonce,
        "X-Voice-Signature": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
    }
