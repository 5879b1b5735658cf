"""Azure Web PubSub: connections, tokens for clients, and events from upstream."""
