"""Model files and recorded voices: what the local stack needs on disk, by hash, and how it gets there."""
