"""A call as a picture: two tracks of sound over time, and what happened between them."""
