"""How a show is played: clock, transport, sources, renderer, outputs and control."""
