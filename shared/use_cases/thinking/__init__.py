"""The second step of a turn: from words to the sentences of an answer."""
