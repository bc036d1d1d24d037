"""Films: the show rendered ahead, and played at the very frame that live pictures would show."""
