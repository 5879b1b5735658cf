"""Beside the answers: what callers want and have said is understood, kept through crashes, and remembered."""
