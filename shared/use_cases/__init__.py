"""What the product does, one file per deed, told in terms of ports and domain."""
