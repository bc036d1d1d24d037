"""How near a generator's pictures come to the set it learned from."""
