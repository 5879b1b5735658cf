"""The first step of a turn: from the caller's frames to words."""
