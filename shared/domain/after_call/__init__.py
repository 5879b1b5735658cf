"""What is made of a call when it is over: what is hidden in it, what it came to, whom it is told."""
