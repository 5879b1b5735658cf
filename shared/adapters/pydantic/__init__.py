"""Pydantic, where documents from outside are read."""
