"""The steps that do the work; each may be run again after a crash."""
