"""The plots of a run's report, as SVG for a page."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.learning.run_log import RunLog

MOST_POINTS = 400
_WIDTH_IN, _HEIGHT_IN = 5.6, 2.4
_BLUE, _RED, _OCHRE, _GREEN = "#2f6fb3", "#c8432f", "#b5832a", "#2d7a3a"


@dataclass(frozen=True)
class Curve:
    """One column of the log. marked: with a dot at each value, as for what is measured seldom."""

    column: str
    label: str
    colour: str = _BLUE
    marked: bool = False


@dataclass(frozen=True)
class Drawing:
    """Curves that share axes. level: columns of the options with a line of their own.
    from_zero: the axis begins at zero."""

    title: str
    curves: tuple[Curve, ...]
    from_zero: bool = True
    levels: tuple[tuple[str, str], ...] = ()


DRAWINGS = (
    Drawing("Loss", (Curve("g_loss", "G"), Curve("d_loss", "D", _RED))),
    Drawing(
        "Augmentation p, and r_t, the mean sign of D(real)",
        (Curve("augment_p", "p"), Curve("r_t", "r_t", _OCHRE)),
        levels=(("ada_target", "target of r_t"),),
    ),
    Drawing(
        "Logits of the discriminator",
        (Curve("real_logit", "reals", _GREEN), Curve("fake_logit", "fakes", _RED)),
        from_zero=False,
    ),
    Drawing("Distance to the pictures, from codes", (Curve("reconstruction", "reconstruction"),)),
    Drawing("Distance in the features of D", (Curve("features", "features"),)),
    Drawing("R1 penalty", (Curve("r1", "R1"),)),
    Drawing("Path length penalty", (Curve("pl_penalty", "penalty"),)),
    Drawing("Mean path length", (Curve("pl_mean", "mean"),)),
    Drawing("Sliced Wasserstein distance x 1000", (Curve("swd", "SWD", marked=True),)),
    Drawing("FID", (Curve("fid", "FID", marked=True),)),
    Drawing("KID", (Curve("kid", "KID", marked=True),), from_zero=False),
    Drawing(
        "Precision and recall",
        (Curve("precision", "precision", marked=True), Curve("recall", "recall", _RED, True)),
    ),
    Drawing("Seconds for a thousand pictures", (Curve("sec_per_kimg", "s/kimg", _GREEN),)),
)


@dataclass(frozen=True)
class Plot:
    """alt: what it shows, in words, with the first and last values."""

    title: str
    alt: str
    svg: str


def plots(log: RunLog, options: dict[str, Any]) -> tuple[Plot, ...]:
    """A plot for every drawing that the log has numbers for, and for every column besides."""
    known = {curve.column for drawing in DRAWINGS for curve in drawing.curves}
    others = tuple(
        Drawing(name, (Curve(name, name),), from_zero=False)
        for name in log.names
        if name not in known
    )
    return tuple(
        Plot(drawing.title, _told(drawing, log), _svg(drawing, log, options))
        for drawing in DRAWINGS + others
        if any(_finite(log.column(curve.column)[1]) for curve in drawing.curves)
    )


def thinned(
    kimgs: Sequence[float], values: Sequence[float], most: int = MOST_POINTS
) -> tuple[list[float], list[float]]:
    """At most `most` points, each the mean of its neighbours; NaN where there is nothing else."""
    wide = -(-len(values) // most) if values else 1
    if wide <= 1:
        return list(kimgs), list(values)
    groups = [slice(first, first + wide) for first in range(0, len(values), wide)]
    return [kimgs[group][-1] for group in groups], [_mean(values[group]) for group in groups]


def _mean(values: Sequence[float]) -> float:
    finite = _finite(values)
    return sum(finite) / len(finite) if finite else math.nan


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _told(drawing: Drawing, log: RunLog) -> str:
    parts = []
    for curve in drawing.curves:
        values = _finite(log.column(curve.column)[1])
        if values:
            parts.append(f"{curve.label} from {values[0]:.3g} to {values[-1]:.3g}")
    return f"{drawing.title}: {', '.join(parts)}."


def _svg(drawing: Drawing, log: RunLog, options: dict[str, Any]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    words: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": drawing.title,
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.size": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.7,
    }
    with matplotlib.rc_context(words):
        figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout="constrained")
        axes: Any = figure.subplots()
        for curve in drawing.curves:
            kimgs, values = thinned(*log.column(curve.column))
            if _finite(values):
                few = curve.marked or len(values) < 3
                axes.plot(
                    kimgs,
                    values,
                    color=curve.colour,
                    linewidth=1.2,
                    marker="o" if few else "",
                    markersize=3,
                    label=curve.label,
                )
        for name, label in drawing.levels:
            if isinstance(options.get(name), int | float):
                axes.axhline(
                    options[name], color="#888", linewidth=0.9, linestyle=(0, (4, 3)), label=label
                )
        if drawing.from_zero:
            axes.set_ylim(bottom=min(axes.get_ylim()[0], 0.0))
        axes.set_xlabel("kimg")
        handles, _ = axes.get_legend_handles_labels()
        if len(handles) > 1:
            axes.legend(
                loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(handles), frameon=False,
                handlelength=1.2, columnspacing=1.2, borderpad=0.1,
            )  # fmt: skip
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]
