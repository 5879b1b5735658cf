"""The service's real answers: small models that run on the processor of this machine."""
