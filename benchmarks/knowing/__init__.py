"""A small shop's documents and what people ask about them, in English and in Hindi."""
