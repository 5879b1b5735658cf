"""Calls whose provider hears and speaks itself: words come in, and words go out."""
