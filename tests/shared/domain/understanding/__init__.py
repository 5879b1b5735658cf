"""What a conversation has come to, tested."""
