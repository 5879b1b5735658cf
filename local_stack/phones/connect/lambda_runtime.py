"""A container of AWS Lambda: loads the shipped function once, then runs one event after the other.

A line of JSON comes in for each event, `{"event", "request_id", "limit_ms"}`, and one goes out, `{"result"}` or
`{"error"}`. Runs as a program of its own, so that it can be stopped when an invocation takes too long.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any, TextIO


class Context:
    """What Lambda tells a function about an invocation. Source: AWS Lambda's developer guide, `python-context`"""

    def __init__(self, request_id: str, limit_ms: int) -> None:
        self.aws_request_id = request_id
        self.function_name = "voice-agent-connect"
        self._until = time.monotonic() + limit_ms / 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._until - time.monotonic()) * 1000))


def serve(folder: str, questions: TextIO, answers: TextIO) -> None:
    sys.path.insert(0, folder)
    handler = importlib.import_module("handler").handler
    for line in questions:
        asked = json.loads(line)
        answers.write(json.dumps(_invoke(handler, asked)) + "\n")
        answers.flush()


def _invoke(handler: Any, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": handler(asked["event"], Context(asked["request_id"], asked["limit_ms"]))}
    except Exception as error:  # noqa: BLE001  as Lambda does: whatever it raises is the invocation's error
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    serve(sys.argv[1], sys.stdin, sys.stdout)
