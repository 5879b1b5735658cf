"""How spoken values are read: what a caller said for a slot, as the one value that is meant."""
