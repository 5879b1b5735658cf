"""Tests of the local Web PubSub endpoint, on real sockets."""
