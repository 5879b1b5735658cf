"""Azure Blob Storage: files that outlive a call."""
