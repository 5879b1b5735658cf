"""Agents as documents: drafted, published, rolled back."""
