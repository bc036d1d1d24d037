"""The operator's desk: a web page, in a process of its own, that speaks OSC to the player."""
