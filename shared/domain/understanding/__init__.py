"""What a conversation has come to: what the caller wants, what is known for it, and what is to be done next."""
