"""Cards that name a screen or set it up, and the strip that tells the frame number."""
