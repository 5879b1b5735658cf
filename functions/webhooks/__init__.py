"""A call enters here: what carriers ask over HTTP."""
