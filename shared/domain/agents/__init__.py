"""What a company says of an agent: documents that are written, checked, published and kept for ever."""
