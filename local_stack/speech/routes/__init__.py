"""The HTTP routes: OpenAI's wire format in, values of `backend` out."""
