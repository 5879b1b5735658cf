"""Telephone companies as seen from outside: they place calls to the app and speak as a caller does."""
