"""Upkeep: what keeps the player up through days and nights, and what tells of it in the morning."""
