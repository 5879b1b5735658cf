"""A real PostgreSQL server from a wheel, run without an installation and without root."""
