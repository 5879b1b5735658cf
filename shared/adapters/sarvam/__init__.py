"""Sarvam AI: speech to text in the languages of India."""
