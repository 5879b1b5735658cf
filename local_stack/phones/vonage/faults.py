"""What Vonage holds against an app."""

from __future__ import annotations


class VonageFault(Exception):
    """`code` is a short name of ours, since Vonage has none; `message` one line for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
