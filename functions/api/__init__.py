"""What operators and programs ask of us over HTTP."""
