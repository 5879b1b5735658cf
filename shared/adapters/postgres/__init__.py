"""PostgreSQL: the lasting record of calls, and the directory of agents and numbers."""
