"""Servers of the Model Context Protocol over streamable HTTP.

Source: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
"""
