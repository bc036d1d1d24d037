"""Live pictures: a worker process, the shared memory to it, and the watch over it."""
