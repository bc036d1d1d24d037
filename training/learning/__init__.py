"""Training a generator."""
