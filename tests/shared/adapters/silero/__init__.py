"""Tests of the voice activity detector."""
