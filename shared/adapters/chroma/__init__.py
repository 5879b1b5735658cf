"""Passages in Chroma."""
