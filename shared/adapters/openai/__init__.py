"""OpenAI and Azure OpenAI, and whatever speaks their protocol: speech to text, text to speech."""
