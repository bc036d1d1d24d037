"""Simulate a week unattended: `python -m player.simulate_week [--days 7] [--jobs 2]`.

Every frame of it passes through the very transport, timeline, source policy, governor and schedule
that play, on a clock on which waiting costs nothing, with commands, faults, restarts and clock
steps from a seeded stream. Every tick is judged (player/simulation/week_judge.py).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from player.clock import HouseClock
from player.simulation.week import SHARD_S, Shard, ShardResult, simulate_shard
from player.simulation.week_events import DAY_S
from shows.schema import ShowError
from shows.show_file import load_show

SHIPPED_SHOW = Path(__file__).resolve().parent.parent / "shows" / "inspace"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m player.simulate_week",
        description="Simulates every frame of an unattended week; the exit status is 1 if a rule "
        "is broken on any of them.",
    )
    parser.add_argument(
        "--days", type=_days, default=7.0, metavar="D", help="0.001 to 366 (default 7)"
    )
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=min(2, os.cpu_count() or 1),
        metavar="N",
        help="processes (default 2, or as many as there are cores)",
    )
    parser.add_argument("--seed", type=_seed, default=1, metavar="N", help="default 1")
    parser.add_argument(
        "--show", type=Path, default=SHIPPED_SHOW, metavar="DIR", help="default: the shipped one"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--sabotage", action="store_true", help="switch the fallback off: this must fail"
    )
    return parser


# the parts end with the pool; their own traces would say nothing
_DEAF_TO_CTRL_C = (signal.SIGINT, signal.SIG_IGN)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and print; 0 if no rule is broken, 1 if one is, 2 for a wrong argument."""
    args = build_parser().parse_args(arguments)
    try:
        load_show(args.show)
    except ShowError as fault:
        print(f"player.simulate_week: {fault}", file=sys.stderr)
        return 2
    shards = shards_of(args.show, round(args.days * DAY_S), args.seed, args.sabotage)
    clock = HouseClock()
    start_ns = clock.now_ns()
    try:
        results = list(
            tqdm(
                _simulated(shards, args.jobs),
                total=len(shards),
                unit="part",
                desc="simulated",
                disable=not sys.stderr.isatty(),
            )
        )
    except KeyboardInterrupt:
        print("player.simulate_week: interrupted; nothing was judged.", file=sys.stderr)
        return 130
    figures = figures_of(results, (clock.now_ns() - start_ns) / 1e9)
    figures["days"], figures["seed"], figures["sabotage"] = args.days, args.seed, args.sabotage
    print(table(figures))
    if args.json is not None:
        try:
            args.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        except OSError as fault:
            print(f"player.simulate_week: the figures cannot be written: {fault}", file=sys.stderr)
            return 1
    return 0 if figures["passed"] else 1


def shards_of(folder: Path, seconds: int, seed: int, is_sabotaged: bool) -> list[Shard]:
    """The time cut into parts of at most six hours, each of which is simulated alone."""
    return [
        Shard(folder, first_s, min(SHARD_S, seconds - first_s), seed, is_sabotaged)
        for first_s in range(0, seconds, SHARD_S)
    ]


def _simulated(shards: Sequence[Shard], jobs: int) -> Iterator[ShardResult]:
    if jobs == 1 or len(shards) == 1:
        yield from map(simulate_shard, shards)
        return
    # spawn: the same on every system, and nothing inherited
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=signal.signal, initargs=_DEAF_TO_CTRL_C
    ) as pool:
        waiting = [pool.submit(simulate_shard, shard) for shard in shards]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def figures_of(results: Iterable[ShardResult], seconds: float) -> dict[str, object]:
    """All parts together. seconds: what the simulation took."""
    results = list(results)
    counts: Counter[str] = sum((result.counts for result in results), Counter())
    ticks = sum(result.ticks for result in results)
    shown = {name: counts[name] / max(ticks, 1) for name in ("live", "film", "slate")}
    fault_count = sum(result.fault_count for result in results)
    faults = [fault for result in results for fault in result.faults][:20]
    return {
        "frames": ticks,
        "seconds": round(seconds, 1),
        "us_a_frame": round(seconds * 1e6 / max(ticks, 1), 2),
        "away_frames": sum(result.away for result in results),
        "events": {
            kind: counts[kind]
            for kind in sorted(counts)
            if kind not in ("live", "film", "slate", "level up", "level down")
        },
        "shown": {name: round(share, 6) for name, share in shown.items()},
        "level_changes": counts["level up"] + counts["level down"],
        "stale_frames_max": max((result.stale_ticks_max for result in results), default=0),
        "light_step_max": _most(results, "light_step_max"),
        "share_step_max": _most(results, "share_step_max"),
        "cues_max": max((result.cues_max for result in results), default=0),
        "latents_compared": sum(result.latents_compared for result in results),
        "fault_count": fault_count,
        "faults": faults,
        "passed": fault_count == 0 and ticks > 0,
    }


def _most(results: Sequence[ShardResult], name: str) -> float:
    return round(max((result.figures[name] for result in results), default=0.0), 6)


def table(figures: dict[str, object]) -> str:
    """For reading."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, dict):
            lines.append(
                f"{name.replace('_', ' '):18} " + ", ".join(f"{k} {v}" for k, v in value.items())
            )
        elif isinstance(value, list):
            lines += [f"{'fault':18} {entry}" for entry in value]
        else:
            lines.append(f"{name.replace('_', ' '):18} {value}")
    return "\n".join(lines)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = float("nan")
    if not 0.001 <= days <= 366:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number of days from 0.001 to 366")
    return days


def _jobs(text: str) -> int:
    return _whole(text, 1, 256)


def _seed(text: str) -> int:
    return _whole(text, 0, 2**31)


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no whole number from {least} to {most}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
