"""Agents are tested like code: simulated callers talk to them through the whole stack, files say what must come."""
