"""Sealing with AES-256-GCM."""
