"""What a call is and how a conversation moves: no I/O, no clock, no vendor."""
