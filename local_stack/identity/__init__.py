"""An OpenID Connect issuer with the addresses, claims and habits of Azure AD B2C, External ID and Entra."""
