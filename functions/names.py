"""The names by which orchestrations and activities are found; they are global in a function app."""

from __future__ import annotations

CALL = "call"
TURN = "turn"
WATCH = "watch"
WRAP_UP = "wrap_up"
DIAL = "dial"
FOLLOW_CALL = "follow_call"

LISTEN = "listen"
THINK = "think"
SPEAK = "speak"
RESCUE = "rescue"
HANG_UP = "hang_up"
RECORD_TURN = "record_turn"
RECORD_CALL = "record_call"
END_CALL = "end_call"
CLOSE_CALL = "close_call"
DIAL_OUT = "dial_out"
FIND_DIALLED = "find_dialled"
LISTEN_ALONG = "listen_along"
GIVE_UP_DIALLING = "give_up_dialling"
