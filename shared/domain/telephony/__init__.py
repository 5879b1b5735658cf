"""The common language of all voice providers: what a line can do, what it tells us, what it can be told."""
