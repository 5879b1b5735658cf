"""Web PubSub: tokens for clients, and what their connections and the carriers' send us."""
