"""A real Redis server from a wheel, with its append-only file in the state folder."""
