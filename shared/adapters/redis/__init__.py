"""Redis: pipes between steps, audio frames, and what is known of a call while it runs."""
