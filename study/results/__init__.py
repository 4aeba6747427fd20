"""Tables written whole or not at all, and where their numbers come from."""
