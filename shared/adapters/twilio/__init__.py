"""Twilio: webhooks with their signatures, Media Streams, and the REST API that ends calls."""
