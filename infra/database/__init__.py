"""The PostgreSQL schema, its migrations and its first content: `python -m infra.database --help`."""
