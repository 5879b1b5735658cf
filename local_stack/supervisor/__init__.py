"""Starts, checks, reports and stops the parts of the local stack."""
