"""Fakes that keep the ports' promises in memory: scripted, recording, and tested by the same contract suites."""
