"""What companies let their agents know: documents, and the passages they are cut into."""
