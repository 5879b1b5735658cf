"""Passages in Azure AI Search."""
