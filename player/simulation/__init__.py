"""A simulated house of machines for clock sync: clocks that drift, a network that loses, faults."""
