"""A model asks for something to be done: four kinds of tools as one box, done at most once."""
