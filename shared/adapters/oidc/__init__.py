"""OpenID Connect: who holds a token, by the issuer's published keys."""
