"""How hot a machine is, and how hot it may be. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# degrees Celsius from which most processors and cards slow down, and from which they switch off
WARM_C, HOT_C = 85.0, 95.0


@dataclass(frozen=True)
class Heat:
    """The hottest sensor of each, in degrees Celsius; None where nothing tells."""

    processor_c: float | None = None
    graphics_c: float | None = None

    @property
    def hottest_c(self) -> float | None:
        """Of the two."""
        known = [c for c in (self.processor_c, self.graphics_c) if c is not None]
        return max(known, default=None)
