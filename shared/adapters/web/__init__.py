"""Browsers and apps that talk over Web PubSub's JSON protocol."""
