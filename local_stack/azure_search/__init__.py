"""Stands in for Azure AI Search in tests: its REST protocol, with indexes in memory."""
