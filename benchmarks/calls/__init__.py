"""A stack of the benchmark's own, the calls that are placed into it, and what is read from both."""
