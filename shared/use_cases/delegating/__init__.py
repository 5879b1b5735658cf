"""Calls whose sound is brought to somebody else's agent, who hears, thinks and speaks."""
