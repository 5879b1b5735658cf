"""Other frameworks, installed apart and driven over the same wire with the same callers and services."""
