"""What the screens show, for other programs: NDI, a virtual camera, Spout, Syphon."""
