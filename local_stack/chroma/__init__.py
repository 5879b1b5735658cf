"""Runs Chroma, the index of the local stack."""
