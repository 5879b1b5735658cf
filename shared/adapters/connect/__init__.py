"""Amazon Connect: the questions of its flow, its contact events, its commands, and its live audio."""
