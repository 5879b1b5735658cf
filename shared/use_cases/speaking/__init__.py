"""The third step of a turn: from sentences to sound in the caller's ear."""
