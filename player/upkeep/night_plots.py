"""The plots of a nightly report, as SVG text. The door to matplotlib.

Drawn narrow, so that the letters stay readable on a phone; the page puts them side by side on a
desk. Colours are told apart by people who do not see red and green, and each has its name beside.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from player.upkeep.night_facts import Minute, Run
from player.upkeep.wall_time import HOUR_NS, MINUTE_NS, Zone, local

MOST_POINTS = 1500
RUG_SHARE, RUG_HEIGHT = 0.006, 0.1  # of the axis: a mark over minutes with films or stills
GAP_NS = 150 * 1_000_000_000
_WIDTH_IN, _HEIGHT_IN = 5.0, 2.1
_COLOURS = {"live": "#2f6fb3", "film": "#5aa9a3", "slate": "#c8432f"}
_OTHER_COLOUR = "#9a8fbf"
_NAMES = {"live": "live", "film": "film", "slate": "still"}


@dataclass(frozen=True)
class Plot:
    """A drawn plot. alt: what it shows, for those who do not see it."""

    title: str
    alt: str
    svg: str


@dataclass(frozen=True)
class Span:
    """The time a plot is about, in UTC; zone: of the clock times at its axis."""

    since_ns: int
    until_ns: int
    zone: Zone = None

    def hours(self, at_ns: int) -> float:
        """Where an instant stands on the axis."""
        return (at_ns - self.since_ns) / HOUR_NS


def binned(minutes: Sequence[Minute], span: Span, most: int = MOST_POINTS) -> tuple[Minute, ...]:
    """At most `most` points: of several minutes the worst figures, sums of counts, mean shares."""
    wide_ns = max(MINUTE_NS, -(-(span.until_ns - span.since_ns) // most))
    if wide_ns == MINUTE_NS:
        return tuple(minutes)
    groups = groupby(minutes, key=lambda minute: (minute.at_ns - span.since_ns) // wide_ns)
    return tuple(_joined(list(group)) for _, group in groups)


def _joined(group: Sequence[Minute]) -> Minute:
    sources = {source for minute in group for source in minute.shares}
    return replace(
        group[-1],
        seconds=sum(minute.seconds for minute in group),
        late=sum(minute.late for minute in group),
        dropped=sum(minute.dropped for minute in group),
        p50_ms=_worst(minute.p50_ms for minute in group),
        p99_ms=_worst(minute.p99_ms for minute in group),
        max_ms=_worst(minute.max_ms for minute in group),
        shares={
            source: sum(minute.shares.get(source, 0.0) for minute in group) / len(group)
            for source in sorted(sources)
        },
        rss_mb=_worst(minute.rss_mb for minute in group),
        cpu_c=_worst(minute.cpu_c for minute in group),
        gpu_c=_worst(minute.gpu_c for minute in group),
    )


def _worst(values: Any) -> float | None:
    return max((value for value in values if value is not None), default=None)


def plots(minutes: Sequence[Minute], runs: Sequence[Run], span: Span) -> tuple[Plot, ...]:
    """All plots there is something to draw for. Raises ImportError without matplotlib."""
    points = binned(minutes, span)
    if not points:
        return ()
    starts = [span.hours(run.began_ns) for run in runs if run.began_ns is not None]

    def drawn(title: str, alt: str, draw: Callable[[Any], None]) -> Plot:
        return Plot(title, alt, _svg(title, draw, span, starts))

    found = [
        drawn(
            "What the screens showed, share of their time",
            "Stacked band over time: live, film, still; marks above it wherever there "
            "were films or stills. White: nothing was measured.",
            lambda axes: _sources(axes, points, span),
        ),
        drawn(
            "Time from frame to frame, ms",
            "Lines over time: the middle, the slowest in a hundred and the slowest.",
            lambda axes: _intervals(axes, points, span),
        ),
        drawn(
            "Frames dropped and late, a minute",
            "Steps over time: frames that were never shown, and frames shown late.",
            lambda axes: _counts(axes, points, span),
        ),
    ]
    if any(point.rss_mb is not None for point in points):
        found.append(
            drawn(
                "Memory of the player and its processes, MB",
                "Line over time: resident memory.",
                lambda axes: _lines(axes, points, span, {"memory": ("rss_mb", "#2f6fb3")}),
            )
        )
    heat = {"processor": ("cpu_c", "#8a5a00"), "GPU": ("gpu_c", "#6a3d9a")}
    heat = {
        name: told
        for name, told in heat.items()
        if any(getattr(point, told[0]) is not None for point in points)
    }
    if heat:
        found.append(
            drawn(
                "Temperature, °C",
                "Lines over time: the hottest of the processor and of the GPU.",
                lambda axes: _lines(axes, points, span, heat, from_zero=False),
            )
        )
    return tuple(found)


def _svg(title: str, draw: Callable[[Any], None], span: Span, starts: Sequence[float]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    words: Any = {"svg.fonttype": "none", "svg.hashsalt": title, "text.parse_math": False}
    words |= {
        "font.family": "sans-serif",
        "font.size": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(words):
        figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout="constrained")
        axes: Any = figure.subplots()
        draw(axes)
        for hour in starts:
            axes.axvline(hour, color="#111111", linewidth=0.9, linestyle=(0, (2, 2)))
        _time_axis(axes, span)
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


def _time_axis(axes: Any, span: Span) -> None:
    """Ticks at whole local hours, some six of them; a change to summer time moves them."""
    hours = span.hours(span.until_ns)
    step = next(
        (
            step
            for step in (1 / 60, 1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 3, 4, 6, 12, 24)
            if hours / step <= 8
        ),
        48,
    )
    step_ns = round(step * HOUR_NS)
    begins = local(span.since_ns, span.zone)
    past_s = begins.hour * 3600 + begins.minute * 60 + begins.second
    first_ns = span.since_ns - past_s * 1_000_000_000
    ticks = [
        at_ns
        for at_ns in range(first_ns, span.until_ns + 1, step_ns)
        if span.since_ns - MINUTE_NS < at_ns
    ]
    axes.set_xlim(0, hours)
    axes.set_xticks(
        [span.hours(at_ns) for at_ns in ticks],
        [_tick_text(at_ns, span.zone, is_day=step >= 24) for at_ns in ticks],
    )


def _tick_text(at_ns: int, zone: Zone, *, is_day: bool) -> str:
    moment = local(at_ns, zone)
    return f"{moment.day} {moment:%b}" if is_day else f"{moment:%H:%M}"


def _stretches(points: Sequence[Minute]) -> list[list[Minute]]:
    """The points, parted wherever nothing was measured between two of them."""
    parted: list[list[Minute]] = []
    for point in points:
        if parted and point.begins_ns - parted[-1][-1].at_ns <= GAP_NS:
            parted[-1].append(point)
        else:
            parted.append([point])
    return parted


def _edges(stretch: Sequence[Minute], span: Span) -> list[float]:
    """Borders of the minutes of a stretch, one more than there are minutes."""
    return [span.hours(stretch[0].begins_ns), *(span.hours(point.at_ns) for point in stretch)]


def _sources(axes: Any, points: Sequence[Minute], span: Span) -> None:
    import numpy as np

    present = {source for point in points for source in point.shares}
    order = [*_COLOURS, *sorted(present - _COLOURS.keys())]
    labelled: set[str] = set()
    for stretch in _stretches(points):
        edges = np.repeat(_edges(stretch, span), 2)[1:-1]
        base = np.zeros(len(edges))
        for source in order:
            if source not in present:
                continue
            top = base + np.repeat([point.shares.get(source, 0.0) for point in stretch], 2)
            axes.fill_between(
                edges,
                base,
                top,
                color=_COLOURS.get(source, _OTHER_COLOUR),
                linewidth=0,
                label=None if source in labelled else _NAMES.get(source, source),
            )
            labelled.add(source)
            base = top
    for source in ("film", "slate"):  # a minute of a day is too thin to be seen in the band
        wide = span.hours(span.until_ns) * RUG_SHARE
        middles = [
            span.hours((point.begins_ns + point.at_ns) // 2)
            for point in points
            if point.shares.get(source)
        ]
        axes.bar(middles, RUG_HEIGHT, wide, 1.04, color=_COLOURS[source], linewidth=0)
    axes.set_ylim(0, 1.04 + RUG_HEIGHT)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])


def _intervals(axes: Any, points: Sequence[Minute], span: Span) -> None:
    lines = {
        "slowest": ("max_ms", "#c9a26b"),
        "1 in 100": ("p99_ms", "#c8432f"),
        "middle": ("p50_ms", "#2f6fb3"),
    }
    _lines(axes, points, span, lines)
    slow = sorted(point.max_ms for point in points if point.max_ms is not None)
    if slow and slow[-1] > 200:
        axes.set_yscale("log")
        axes.set_ylim(5, slow[-1] * 1.3)
        axes.set_yticks(
            ticks := [tick for tick in (10, 33, 100, 333, 1000, 10_000) if tick < slow[-1] * 1.3],
            [str(tick) for tick in ticks],
        )
        axes.minorticks_off()


def _lines(
    axes: Any,
    points: Sequence[Minute],
    span: Span,
    lines: dict[str, tuple[str, str]],
    *,
    from_zero: bool = True,
) -> None:
    for name, (attribute, colour) in lines.items():
        label: str | None = name
        for stretch in _stretches(points):
            hours = [span.hours(point.at_ns) for point in stretch]
            values = [
                float("nan") if value is None else value
                for value in (getattr(point, attribute) for point in stretch)
            ]
            marker = "." if len(stretch) == 1 else ""
            axes.plot(hours, values, color=colour, linewidth=1.1, marker=marker, label=label)
            label = None
    if from_zero:
        axes.set_ylim(0, axes.get_ylim()[1] * 1.06)


def _counts(axes: Any, points: Sequence[Minute], span: Span) -> None:
    for name, attribute, colour in (("late", "late", "#c9a26b"), ("dropped", "dropped", "#c8432f")):
        label: str | None = name
        for stretch in _stretches(points):
            axes.stairs(
                [getattr(point, attribute) for point in stretch],
                _edges(stretch, span),
                fill=True,
                color=colour,
                label=label,
            )
            label = None
    most = max(max(point.late, point.dropped) for point in points)
    axes.set_ylim(0, max(1, most * 1.1))
    axes.locator_params(axis="y", nbins=4, integer=True)
