"""Sarvam's voice agents (Samvaad), as an app sees them: hooks, results, the REST API, and the realtime socket."""
