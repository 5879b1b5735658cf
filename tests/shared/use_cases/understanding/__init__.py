"""Understanding beside the answers, tested."""
