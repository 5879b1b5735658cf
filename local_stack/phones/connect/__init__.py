"""Amazon Connect as it behaves: runs the shipped flow block by block, and the shipped function for each question."""
