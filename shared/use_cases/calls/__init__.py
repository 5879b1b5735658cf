"""A call from its beginning to what remains of it."""
