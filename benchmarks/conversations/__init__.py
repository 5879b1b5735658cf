"""Labelled telephone conversations for the evaluation of turn-taking, from recordings and from what imitates them."""
