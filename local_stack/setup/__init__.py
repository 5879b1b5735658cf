"""Makes a fresh checkout runnable; standard library only, since nothing else is installed yet."""
