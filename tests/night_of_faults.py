"""A journal of a day with faults, as the player would have written it; no clock is read.

`python -m tests.night_of_faults DIR` writes it, to look at a report made of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from player.upkeep.journal_file import DayFile, Entry, entry_line, picture_path
from player.upkeep.journal_pictures import jpeg_of
from player.upkeep.wall_time import HOUR_NS, MINUTE_NS, SECOND_NS, utc_day, utc_ns

SCREENS = tuple(f"window-{number}" for number in range(1, 8))
SINCE_NS = utc_ns("2026-11-21T09:00:00Z")
UNTIL_NS = utc_ns("2026-11-22T09:00:00Z")
STARTED_NS = SINCE_NS + 30 * MINUTE_NS
KILLED_NS = utc_ns("2026-11-22T04:47:20Z")
STILLS_FROM, STILLS_MINUTES = utc_ns("2026-11-22T02:10:00Z"), 4
BUSY_FROM, BUSY_UNTIL = utc_ns("2026-11-21T14:00:00Z"), utc_ns("2026-11-21T14:50:00Z")
TICKS = 1800


def minute_facts(
    *,
    sources: dict[str, int] | None = None,
    on: dict[str, dict[str, int]] | None = None,
    dropped: int = 0,
    late: int = 0,
    repeated: int = 0,
    max_ms: float = 36.5,
    rss_mb: float = 410.0,
    cpu_c: float | None = 61.0,
    is_open: bool = True,
    worker_restarts: int = 0,
    ticks: int = TICKS,
) -> dict[str, object]:
    """The facts of one minute. sources: ticks by source of a screen, but for those `on` names."""
    sources = {"live": ticks} if sources is None else sources
    by_screen = [(on or {}).get(screen, sources) for screen in SCREENS]
    return {
        "is_open": is_open,
        "governor": "every frame",
        "worker_restarts": worker_restarts,
        "ticks": ticks,
        "presented": ticks,
        "late": late,
        "repeated": repeated,
        "dropped": dropped,
        "interval_ms": {"p50": 33.325, "p99": min(34.375 + late / 10, max_ms), "max": max_ms},
        "lateness_ms": {"p50": 0.6, "p99": 1.2, "max": max_ms - 33},
        "by_screen": by_screen,
        "screens": list(SCREENS),
        "fps": 30.0,
        "process": {
            "rss_mb": rss_mb,
            "children_rss_mb": 620.0,
            "children": 2,
            "descriptors": 48,
            "threads": 14,
            "segments": 2,
            "cpu_c": cpu_c,
            "gpu_c": None,
        },
    }


def events() -> Iterator[Entry]:
    """What was told of, in order of time."""

    def told(text: str, kind: str, sentence: str, **facts: object) -> Entry:
        return Entry(utc_ns(text), kind, sentence, facts)

    machine = {
        "show": "Inspace Ballads",
        "mode": "auto",
        "wall": "7 headless screens of 256x256, llvmpipe",
        "system": "Linux-6.1-x86_64",
        "python": "3.11.2",
        "packages": {"numpy": "2.4.6", "moderngl": "5.13.0"},
        "restarts": 0,
        "restart_reason": "",
    }
    yield Entry(STARTED_NS, "start", "Playing Inspace Ballads on seven screens.", machine)
    yield told("2026-11-21T09:30:04Z", "source", "The screens show live pictures.")
    yield told("2026-11-21T10:00:00Z", "schedule", "Open until 18:00.")
    yield told("2026-11-21T11:12:31Z", "worker", "The worker was killed by signal 9.")
    yield told("2026-11-21T11:12:31Z", "source", "Every screen shows its film.")
    yield told("2026-11-21T11:12:38Z", "source", "The screens show live pictures.")
    yield told("2026-11-21T14:00:12Z", "governor", "Every 2nd frame: the engine takes 41 ms.")
    yield told("2026-11-21T14:50:31Z", "governor", "Every frame again: the engine takes 19 ms.")
    yield told("2026-11-21T18:00:00Z", "schedule", "Closed until 10:00 on Sunday.")
    for second in range(10, 40):
        yield told(f"2026-11-21T21:03:{second}Z", "osc", "A packet from 10.0.0.9 was no OSC.")
    yield told(
        "2026-11-22T02:10:02Z", "film", "The film of tam-lin cannot be read: it is cut short."
    )
    yield told("2026-11-22T02:10:02Z", "source", "window-3 shows its painting as a still.")
    yield told("2026-11-22T02:14:00Z", "source", "window-3 shows live pictures.")
    yield told("2026-11-22T03:20:00Z", "clock", "The wall clock was set forward by 2 s.")
    again = {**machine, "restarts": 1, "restart_reason": "no picture for 2 s, killed"}
    began_ns = KILLED_NS + 2 * SECOND_NS
    yield Entry(began_ns, "start", "Playing Inspace Ballads on seven screens.", again)


def minutes() -> Iterator[Entry]:
    """A minute's line every minute, but for the half hour before the start."""
    rng = np.random.default_rng(5)
    for at_ns in range(STARTED_NS + MINUTE_NS, UNTIL_NS + 1, MINUTE_NS):
        heat = (
            55 + 8 * float(np.sin((at_ns - SINCE_NS) / (4 * HOUR_NS))) + float(rng.normal(0, 0.4))
        )
        facts = minute_facts(
            rss_mb=410 + float(rng.normal(0, 1.5)),
            cpu_c=round(heat, 1),
            max_ms=round(35 + float(rng.exponential(2)), 2),
            worker_restarts=1 if utc_ns("2026-11-21T11:13:00Z") <= at_ns < KILLED_NS else 0,
        )
        begins_ns = at_ns - MINUTE_NS
        if begins_ns == utc_ns("2026-11-21T11:12:00Z"):
            facts |= {"by_screen": [{"live": 1590, "film": 210}] * 7, "dropped": 2}
            facts |= {"interval_ms": {"p50": 33.33, "p99": 36.0, "max": 99.9}}
        if BUSY_FROM <= begins_ns < BUSY_UNTIL:
            late = int(rng.integers(3, 30))
            facts["governor"] = "every 2nd frame, blended"
            facts |= {"late": late, "dropped": late // 9}
            facts |= {"interval_ms": {"p50": 33.4, "p99": 52.0 + late, "max": 90.0 + late}}
        if STILLS_FROM <= begins_ns < STILLS_FROM + STILLS_MINUTES * MINUTE_NS:
            on = [{"live": TICKS}] * 7
            on[2] = {"slate": TICKS}
            facts["by_screen"] = on
        if begins_ns < KILLED_NS <= at_ns:
            continue  # the minute that the player did not live to tell of
        yield Entry(at_ns, "minute", "", facts)


def write(folder: Path, *, with_pictures: bool = True) -> None:
    """The whole journal of the day, in files of two UTC days."""
    entries = sorted([*events(), *minutes()], key=lambda entry: entry.at_ns)
    if with_pictures:
        entries += list(_pictures(folder))
    file = DayFile(folder)
    for entry in entries:
        file.append(utc_day(entry.at_ns), entry_line(entry))
    file.close()


def _pictures(folder: Path) -> Iterator[Entry]:
    y, x = np.mgrid[0:256, 0:256] / 255
    for at_ns in range(STARTED_NS + 30 * SECOND_NS, UNTIL_NS, HOUR_NS):
        for number, screen in enumerate(SCREENS):
            turn = at_ns // HOUR_NS + number
            pixels = np.stack([x, y, (np.sin(9 * x + turn) + np.cos(7 * y)) / 4 + 0.5], axis=-1)
            path = picture_path(folder, at_ns, screen)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg_of((pixels * 255).astype(np.uint8)))
            facts = {"screen": screen, "file": f"{path.parent.name}/{path.name}"}
            yield Entry(at_ns, "picture", "", facts)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
