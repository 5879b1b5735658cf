"""Agents to begin with, the systems of the companies that they work for, and the calls that try them out."""
