"""OpenAI and Azure OpenAI, and whatever speaks their protocol: speech to text, chat models, text to speech."""
