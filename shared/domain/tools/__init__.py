"""The tools of an agent: what a model may ask for, what is checked before it happens, and what it is told of it."""
