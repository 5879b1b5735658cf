"""Reads what companies upload: each format in a module of its own, all of them in a process that can be ended."""
