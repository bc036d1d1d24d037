"""Bars of the last ten minutes, one for every five seconds, as SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from player.desk.history import MOST_SAMPLES

HEIGHT = 32  # of the drawing; the page stretches it
LEAST = 1.0  # of a bar, so that something is seen to have been measured
HIGHEST = 2.5  # times the limit: what is higher ends there, or the others would vanish


def bars(
    values: Sequence[float | None], *, limit: float, top: float, name: str, says: str = ""
) -> str:
    """The newest on the right; None leaves a gap. top: what the drawing reaches at least.

    Bars above the limit have another colour. A limit above 0 is drawn as a line, with the text
    `says` at its left end.
    """
    most = max((value for value in values if value is not None), default=0.0)
    reach = max(top, min(most, HIGHEST * limit) if limit else most)
    drawn = []
    first = MOST_SAMPLES - len(values)
    for place, value in enumerate(values):
        if value is None:
            continue
        height = min(max(HEIGHT * value / reach, LEAST), HEIGHT)
        kind = "over" if value > limit else "well"
        drawn.append(
            f'<rect class="{kind}" x="{first + place}" y="{HEIGHT - height:.2f}" width="0.8" '
            f'height="{height:.2f}"/>'
        )
    line, label = "", ""
    if limit:
        y = HEIGHT * (1 - limit / reach)
        line = f'<line x1="0" x2="{MOST_SAMPLES}" y1="{y:.2f}" y2="{y:.2f}"/>'
        label = f'<span style="top: {100 * y / HEIGHT:.1f}%">{escape(says)}</span>'
    return (
        f'<svg viewBox="0 0 {MOST_SAMPLES} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(name)}">{"".join(drawn)}{line}</svg>{label}'
    )
