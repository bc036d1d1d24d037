"""The show read anew from its files while it plays, and the morph from the one before."""
