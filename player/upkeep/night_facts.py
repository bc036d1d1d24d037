"""What a journal's entries say, as typed values. Pure; entries may hold anything."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from player.upkeep.journal_file import Entry, clean
from player.upkeep.wall_time import SECOND_NS

LONGEST_MINUTE_S = 600.0
MAX_SCREENS = 64


@dataclass(frozen=True)
class Minute:
    """What was measured in about a minute.

    at_ns: its end, in UTC. shares: of the screens' time, by source; they sum to 1, or are none.
    by_screen: seconds by source, for each screen. Intervals in ms, temperatures in degrees Celsius.
    """

    at_ns: int
    seconds: float
    ticks: int
    late: int
    dropped: int
    repeated: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    shares: Mapping[str, float]
    by_screen: Mapping[str, Mapping[str, float]]
    is_open: bool = True
    quality: str = ""  # what the governor had chosen
    worker_restarts: int | None = None
    rss_mb: float | None = None
    descriptors: float | None = None
    segments: float | None = None
    cpu_c: float | None = None
    gpu_c: float | None = None

    @property
    def begins_ns(self) -> int:
        """Its beginning, in UTC."""
        return self.at_ns - round(self.seconds * SECOND_NS)


@dataclass(frozen=True)
class Run:
    """One life of the player within the time looked at. None: it began or ended outside of it, or
    ended without saying so (killed, power cut)."""

    began_ns: int | None
    ended_ns: int | None
    last_ns: int  # its last sign of life
    restarts: int = 0  # the supervisor's count
    reason: str = ""
    mode: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


def number(value: object) -> float | None:
    """The value if it is a number that a figure can be, 0 to 1e12."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= 1e12 else None


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def minutes_of(entries: Sequence[Entry]) -> tuple[Minute, ...]:
    """The minutes among the entries; what is no minute is passed over."""
    found = (minute_of(entry) for entry in entries if entry.kind == "minute")
    return tuple(minute for minute in found if minute is not None)


def minute_of(entry: Entry) -> Minute | None:
    """The minute that an entry holds; None if ticks or rate are missing or impossible."""
    facts = entry.facts
    ticks, fps = number(facts.get("ticks")), number(facts.get("fps"))
    if not ticks or not fps or fps > 1000:
        return None
    seconds = min(ticks / fps, LONGEST_MINUTE_S)
    interval = mapping(facts.get("interval_ms"))
    process = mapping(facts.get("process"))
    own_mb, children_mb = number(process.get("rss_mb")), number(process.get("children_rss_mb"))
    restarts = number(facts.get("worker_restarts"))
    by_screen = _by_screen(facts, fps)
    return Minute(
        at_ns=entry.at_ns,
        seconds=seconds,
        ticks=int(ticks),
        late=int(number(facts.get("late")) or 0),
        dropped=int(number(facts.get("dropped")) or 0),
        repeated=int(number(facts.get("repeated")) or 0),
        p50_ms=number(interval.get("p50")),
        p99_ms=number(interval.get("p99")),
        max_ms=number(interval.get("max")),
        shares=_shares(by_screen),
        by_screen=by_screen,
        is_open=facts.get("is_open") is not False,
        quality=clean(quality, 60) if isinstance(quality := facts.get("governor"), str) else "",
        worker_restarts=None if restarts is None else int(restarts),
        rss_mb=None if own_mb is None else own_mb + (children_mb or 0),
        descriptors=number(process.get("descriptors")),
        segments=number(process.get("segments")),
        cpu_c=number(process.get("cpu_c")),
        gpu_c=number(process.get("gpu_c")),
    )


def _by_screen(facts: Mapping[str, object], fps: float) -> dict[str, dict[str, float]]:
    """Seconds by source of each screen. One screen's figures count for all, where there are no
    others."""
    listed = facts.get("by_screen")
    told = list(listed[:MAX_SCREENS]) if isinstance(listed, list) else []
    names = facts.get("screens")
    known = (
        [clean(str(name), 64) for name in names[:MAX_SCREENS]] if isinstance(names, list) else []
    )
    if len(told) == 1 and known:
        told = told * len(known)
    screens: dict[str, dict[str, float]] = {}
    for place, ticks_by_source in enumerate(told):
        name = known[place] if place < len(known) else f"screen {place + 1}"
        screens[name] = {
            _source(source): min(ticks / fps, LONGEST_MINUTE_S)
            for source, value in mapping(ticks_by_source).items()
            if (ticks := number(value))
        }
    return screens


def _source(name: str) -> str:
    return name if re.fullmatch(r"[a-z][a-z ]{0,19}", name) else "other"


def _shares(by_screen: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for seconds_by_source in by_screen.values():
        for source, seconds in seconds_by_source.items():
            sums[source] = sums.get(source, 0.0) + seconds
    whole = sum(sums.values())
    return {source: seconds / whole for source, seconds in sorted(sums.items())} if whole else {}


def runs_of(entries: Sequence[Entry]) -> tuple[Run, ...]:
    """The lives of the player, in order of time. entries: in order of time."""
    runs: list[Run] = []
    began: Entry | None = None
    last_ns: int | None = None
    for entry in entries:
        if entry.kind == "start":
            if last_ns is not None:
                runs.append(_run(began, None, last_ns))
            began, last_ns = entry, entry.at_ns
        elif entry.kind == "end":
            runs.append(_run(began, entry.at_ns, entry.at_ns))
            began, last_ns = None, None
        else:
            last_ns = entry.at_ns
    if last_ns is not None:
        runs.append(_run(began, None, last_ns))
    return tuple(runs)


def _run(began: Entry | None, ended_ns: int | None, last_ns: int) -> Run:
    if began is None:
        return Run(None, ended_ns, last_ns)
    facts = began.facts
    reason, mode = facts.get("restart_reason"), facts.get("mode")
    return Run(
        began_ns=began.at_ns,
        ended_ns=ended_ns,
        last_ns=last_ns,
        restarts=int(number(facts.get("restarts")) or 0),
        reason=clean(reason, 300) if isinstance(reason, str) else "",
        mode=clean(mode, 20) if isinstance(mode, str) else "",
        facts=facts,
    )
