"""Real processes, real sockets: `python -m player.sync.measure --nodes 7 --seconds 60`.

Starts so many nodes on this machine's loopback, each with a clock of its own that is made wrong by
an offset and up to +-100 ppm, and compares their house times at the same instants of the machine's
clock. What the system's scheduler does to the threads is in the figures.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction

from player.clock import Clock, HouseClock
from player.sync.endpoint import NodeAddress, SyncEndpoint
from player.sync.settings import SyncError
from shows.timebase import ns_to_frame

NS_PER_S = 1_000_000_000
EVERY_NS = 100_000_000
SETTLING_S = 10.0
FPS = Fraction(30)
BORDER_NS = 1_000_000


class WrongClock:
    """The machine's clock, made wrong: ahead by `offset_ns`, and faster by `ppm`."""

    def __init__(self, true: Clock, offset_ns: int, ppm: float) -> None:
        self._true = true
        self._start_ns = true.now_ns()
        self._offset_ns = offset_ns
        self._rate = Fraction(round(ppm * 1000), 1_000_000_000)

    def local_ns(self, true_ns: int) -> int:
        """What it reads at a time of the machine's clock."""
        passed_ns = true_ns - self._start_ns
        return true_ns + self._offset_ns + int(passed_ns * self._rate)

    def now_ns(self) -> int:
        return self.local_ns(self._true.now_ns())

    def wait_until_ns(self, deadline_ns: int) -> None:
        while (left_ns := deadline_ns - self.now_ns()) > 0:
            self._true.wait_until_ns(self._true.now_ns() + left_ns // 2 + 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 if the 99th percentile is at most 2 ms, else 1."""
    parser = argparse.ArgumentParser(prog="python -m player.sync.measure")
    parser.add_argument("--nodes", type=int, default=7, choices=range(2, 63), metavar="N")
    parser.add_argument("--seconds", type=int, default=60, choices=range(1, 86_401), metavar="S")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--node", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ports", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    try:
        if args.node is not None:
            _be_a_node(args.node, [int(port) for port in args.ports.split(",")], args)
            return 0
        figures = measure(args.nodes, args.seconds, args.seed)
    except SyncError as fault:
        print(f"player.sync.measure: {fault}", file=sys.stderr)
        return 1
    print(json.dumps(figures, indent=2))
    return 0 if figures["spread_ms_p99"] <= 2.0 else 1


def measure(nodes: int, seconds: int, seed: int = 1) -> dict[str, float]:
    """Spread in ms and share of instants with one frame number on all. Raises SyncError."""
    ports = _free_ports(nodes)
    command = [sys.executable, "-m", "player.sync.measure", "--nodes", str(nodes)]
    command += ["--seconds", str(seconds), "--seed", str(seed)]
    command += ["--ports", ",".join(str(port) for port in ports)]
    running = [
        subprocess.Popen([*command, "--node", str(n)], stdout=subprocess.PIPE, text=True)
        for n in range(nodes)
    ]
    try:
        told = [process.communicate(timeout=seconds + SETTLING_S + 60)[0] for process in running]
    except subprocess.TimeoutExpired as fault:
        raise SyncError("A node did not end.") from fault
    finally:
        for process in running:
            process.kill()
            process.wait()
    try:
        readings = [dict(json.loads(text)) for text in told]
    except ValueError as fault:
        raise SyncError("A node said nothing: it could not start; see above.") from fault
    return compared(readings)


def compared(readings: Sequence[dict[int, int]]) -> dict[str, float]:
    """Figures of house times by instant, a dict for each node; instants that all have count."""
    common = sorted(set.intersection(*(set(one) for one in readings)))
    if not common:
        raise SyncError("The nodes were never all locked at once.")
    spreads: list[float] = []
    counted = agreeing = 0
    for instant in common:
        houses = [one[instant] for one in readings]
        spreads.append((max(houses) - min(houses)) / 1e6)
        before, after = min(houses) - BORDER_NS, max(houses) + BORDER_NS
        frames = {ns_to_frame(house, FPS) for house in houses}
        if len(frames) > 1 or ns_to_frame(before, FPS) == ns_to_frame(after, FPS):
            counted += 1
            agreeing += len(frames) == 1
    spreads.sort()
    return {
        "instants": len(common),
        "spread_ms_p50": spreads[len(spreads) // 2],
        "spread_ms_p99": spreads[len(spreads) * 99 // 100],
        "spread_ms_max": spreads[-1],
        "agreement": agreeing / max(1, counted),
    }


def _be_a_node(node: int, ports: Sequence[int], args: argparse.Namespace) -> None:
    rng = random.Random(args.seed * 1000 + node)
    true = HouseClock()
    clock = WrongClock(true, rng.randrange(10**12), rng.uniform(-100, 100))
    nodes = [NodeAddress(f"node-{n + 1}", "127.0.0.1", port) for n, port in enumerate(ports)]
    endpoint = SyncEndpoint(nodes[node].name, nodes, clock=clock, listen_on="127.0.0.1", rng=rng)
    endpoint.start()
    readings: list[tuple[int, int]] = []
    start_ns = true.now_ns() + round(SETTLING_S * NS_PER_S)
    instant_ns = start_ns - start_ns % EVERY_NS
    while instant_ns < start_ns + args.seconds * NS_PER_S:
        true.wait_until_ns(instant_ns)
        if endpoint.is_leader and not endpoint.state_at(0):
            endpoint.propose("opened", 0)
        if endpoint.is_ready:
            readings.append((instant_ns, endpoint.house_ns_at(clock.local_ns(instant_ns))))
        instant_ns += EVERY_NS
    print(json.dumps(readings))
    print(endpoint.status(), file=sys.stderr)
    endpoint.close()


def _free_ports(count: int) -> list[int]:
    """Ports that nobody holds now; all open at once, so that they differ."""
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for one in opened:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in opened]
    finally:
        for one in opened:
            one.close()


if __name__ == "__main__":
    sys.exit(main())
