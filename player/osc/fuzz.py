"""Mutated packets against the operator's port: `python -m player.osc.fuzz`.

The whole way of a datagram but the socket: decode, parse, queue, answer. Exit status 1 if an
exception escapes, a packet costs more than one answer, one takes 5 ms, or memory grows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from tqdm import tqdm

from player.clock import Clock, HouseClock
from player.osc.control import OscControl
from player.osc.due import LONGEST_AHEAD_NS
from player.osc.gate import RateBound
from player.osc.mutants import WALL_NS, mutants, seeds
from player.osc.ports import Sender
from player.osc.rows import Names
from shows.schema import ShowError

PACKETS = 50_000_000
CHUNK_PACKETS = 10_000  # one number of the mutator's
LONGEST_PARSE_NS = 5_000_000
TIMED_AGAIN_NS = 1_000_000
MOST_GROWTH_BYTES = 16 << 20
_STEP_NS = 100  # of the histogram
_STEPS = 100_000  # 10 ms; what takes longer lies in the last
_TAKEN_EVERY = 40  # packets, so that the queue also overflows
_ALL_TAKEN_EVERY = 4000  # also what waits for its time
_OWN_FAULT = b"the player failed on this"
_BALLADS = ("tam-lin", "twa-corbies", "the-elfin-knight")
_HOST: Sender = ("192.0.2.1", 9)


@dataclass(eq=False)
class Tally:
    """What so many packets did. times: how many took so many steps of 100 ns.

    interrupted_ns: the longest there was, with whatever else the machine did at that moment; a
    packet that took 1 ms is parsed three times more, and the shortest counts as its time.
    """

    packets: int = 0
    answers: int = 0
    commands: int = 0
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_STEPS, np.int64))
    longest_ns: int = 0
    interrupted_ns: int = 0
    growth_bytes: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.packets += other.packets
        self.answers += other.answers
        self.commands += other.commands
        self.times += other.times
        self.longest_ns = max(self.longest_ns, other.longest_ns)
        self.interrupted_ns = max(self.interrupted_ns, other.interrupted_ns)
        self.growth_bytes = max(self.growth_bytes, other.growth_bytes)
        self.faults += other.faults[: 10 - len(self.faults)]

    def percentile_us(self, share: float) -> float:
        """The time that this share of the packets took at most."""
        reached = np.searchsorted(np.cumsum(self.times), share * self.times.sum())
        return round((int(reached) + 1) * _STEP_NS / 1000, 1)

    def judged(self) -> list[str]:
        """What is wrong, in sentences."""
        wrong = list(self.faults)
        if self.longest_ns >= LONGEST_PARSE_NS:
            wrong.append(f"a packet took {self.longest_ns / 1e6:.1f} ms; 5 ms are the limit")
        if self.growth_bytes >= MOST_GROWTH_BYTES:
            wrong.append(f"memory grew by {self.growth_bytes >> 20} MiB")
        return wrong

    def figures(self) -> dict[str, object]:
        return {
            "packets": self.packets,
            "answers": self.answers,
            "commands": self.commands,
            "parse_us": {
                "p50": self.percentile_us(0.5),
                "p99": self.percentile_us(0.99),
                "max": round(self.longest_ns / 1000, 1),
                "max_with_interruptions": round(self.interrupted_ns / 1000, 1),
            },
            "memory_growth_bytes": self.growth_bytes,
            "faults": self.judged(),
        }


def fuzzed(
    seed: int, chunk: int, packets: int = CHUNK_PACKETS, *, clock: Clock | None = None
) -> Tally:
    """The tally of one chunk of packets, always the same ones for the same seed and chunk."""
    clock = clock or HouseClock()
    control = _Control()
    tally = Tally()
    times_ns = np.zeros(packets, np.int64)
    valid = seeds()
    before = psutil.Process().memory_info().rss
    for number, packet in enumerate(mutants(seed * 1_000_003 + chunk, packets, valid)):
        began_ns = clock.now_ns()
        fault = control.feed(packet)
        took_ns = clock.now_ns() - began_ns
        tally.interrupted_ns = max(tally.interrupted_ns, took_ns)
        if took_ns >= TIMED_AGAIN_NS:
            took_ns = min(took_ns, *(_time_ns(control, packet, clock) for _ in range(3)))
        times_ns[number] = took_ns
        if fault and len(tally.faults) < 10:
            tally.faults.append(f"seed {seed}, chunk {chunk}, packet {packet[:300].hex()}: {fault}")
        if number % _TAKEN_EVERY == 0:
            tally.commands += control.take(
                LONGEST_AHEAD_NS if number % _ALL_TAKEN_EVERY == 0 else 0
            )
    tally.packets, tally.answers = packets, control.answers
    tally.longest_ns = int(times_ns.max(initial=0))
    tally.times = np.bincount(np.minimum(times_ns // _STEP_NS, _STEPS - 1), minlength=_STEPS)
    tally.growth_bytes = psutil.Process().memory_info().rss - before
    return tally


class _Control:
    """An operator's port without a socket, that counts its answers."""

    def __init__(self) -> None:
        self.answers = 0
        self._own_fault = False
        self.port = OscControl(
            names=Names(_resolve, 7, {"left": (0, 1)}),
            send=self._send,
            rate=RateBound(10**9, 10**9),
            wall_ns=lambda: WALL_NS,
        )

    def feed(self, packet: bytes) -> str:
        """What is wrong with what it did; empty if nothing."""
        before = self.answers
        try:
            self.port.handle_datagram(packet, _HOST)
        except Exception as fault:  # noqa: BLE001 - that none escapes is what is tested
            return f"{type(fault).__name__} escaped: {fault}"
        if self.answers > before + 1:
            return f"{self.answers - before} answers to one packet"
        return "an exception behind an address" if self._own_fault else ""

    def take(self, ahead_ns: int) -> int:
        """How many commands there were that are due within so long."""
        taken = 0
        while requests := self.port.take_requests(ahead_ns):
            taken += len(requests)
        return taken

    def _send(self, datagram: bytes, sender: Sender) -> None:
        self.answers += 1
        self._own_fault = _OWN_FAULT in datagram


def _time_ns(control: _Control, packet: bytes, clock: Clock) -> int:
    began_ns = clock.now_ns()
    control.feed(packet)
    return clock.now_ns() - began_ns


def _resolve(wanted: str | int) -> str:
    if isinstance(wanted, int) and 1 <= wanted <= len(_BALLADS):
        return _BALLADS[wanted - 1]
    if wanted in _BALLADS:
        return str(wanted)
    raise ShowError(f"there is no ballad {wanted!r}")


def fuzzed_by_processes(
    seed: int, chunks: range, jobs: int, enough: Callable[[], bool], done: Callable[[int], None]
) -> tuple[Tally, int]:
    """The tally, and the first chunk that is left to do; `done` hears of each one's packets.

    Chunks are begun in order, and what has begun is waited for, so that none is left out between.
    """
    whole, following = Tally(), chunks.start
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_ctrl_c) as pool:
        try:
            while following < chunks.stop and not enough():
                last = min(following + 4 * jobs, chunks.stop)
                part = [pool.submit(fuzzed, seed, chunk) for chunk in range(following, last)]
                tallies = []
                for future in as_completed(part):
                    tallies.append(future.result())
                    done(CHUNK_PACKETS)
                for tally in tallies:
                    whole.add(tally)
                following = last
        except KeyboardInterrupt:  # the batch that was cut short is not counted
            pool.shutdown(cancel_futures=True)
    return whole, following


def _leave_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the process that began these


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m player.osc.fuzz", description=__doc__)
    parser.add_argument("--packets", type=int, default=PACKETS, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="other packets with another number")
    parser.add_argument("--from-chunk", type=int, default=0, help="where an earlier run ended")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--seconds", type=float, help="end after so long, whatever is left")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(arguments)
    if min(options.packets, options.jobs, options.from_chunk + 1) < 1:
        parser.error("--packets and --jobs are 1 or more, --from-chunk 0 or more")
    clock = HouseClock()
    began_ns = clock.now_ns()

    def enough() -> bool:
        return options.seconds is not None and clock.now_ns() - began_ns > options.seconds * 1e9

    last = options.from_chunk + -(-options.packets // CHUNK_PACKETS)
    chunks = range(options.from_chunk, last)
    total = len(chunks) * CHUNK_PACKETS
    with tqdm(
        total=total, unit=" packets", unit_scale=True, disable=not sys.stderr.isatty()
    ) as bar:

        def done(packets: int) -> None:
            bar.update(packets)

        tally, following = fuzzed_by_processes(options.seed, chunks, options.jobs, enough, done)
    figures = {
        "seed": options.seed,
        "from_chunk": options.from_chunk,
        "following_chunk": following,
        **tally.figures(),
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n", encoding="utf-8")
    if following < last:
        print(f"Ended early. Go on with: --seed {options.seed} --from-chunk {following}")
    return 1 if tally.judged() else 0


if __name__ == "__main__":
    sys.exit(main())
