"""The names by which orchestrations and activities are found; they are global in a function app."""

from __future__ import annotations

CALL = "call"
TURN = "turn"
WATCH = "watch"
WRAP_UP = "wrap_up"

LISTEN = "listen"
THINK = "think"
SPEAK = "speak"
RESCUE = "rescue"
HANG_UP = "hang_up"
RECORD_TURN = "record_turn"
RECORD_CALL = "record_call"
END_CALL = "end_call"
CLOSE_CALL = "close_call"
