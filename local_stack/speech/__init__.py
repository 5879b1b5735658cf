"""Speech and language behind OpenAI's protocol: small local models, or a script with exact latencies."""
