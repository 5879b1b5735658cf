"""How a part runs a program that is not ours: a free port first, then a process that cannot outlive us."""
