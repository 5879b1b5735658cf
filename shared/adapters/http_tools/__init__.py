"""A company's own systems over HTTPS: single operations, and those of an OpenAPI document."""
