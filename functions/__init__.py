"""How Azure calls us: a blueprint per file, each thin; what is done stands in `shared`."""
