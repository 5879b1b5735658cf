"""The carrier Twilio: its signed webhooks, its Media Streams socket and the part of its REST API we use."""
