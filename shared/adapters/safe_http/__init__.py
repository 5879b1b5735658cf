"""Requests to addresses that somebody else has chosen: to the public internet only."""
