"""One clock for many machines: estimates, messages, the protocol as an object, and its socket."""
