"""Seven players on seven virtual machines' networks: do they show the same frame?

    python -m tests.nodes_in_namespaces [--seconds 60] [--loss 5] [--commands 20] [--json FILE]

As root, on Linux with iproute2, nftables and util-linux. Every node has a network namespace, a
monotonic clock of its own (a time namespace) and a cable (veth) to a switch that delays
(tests/ethernet_relay.py); nftables lose so many per cent of what each receives. The players play
headless with --stamp; what they show is watched in their front buffers, all at once, and the
strips are decoded. Then an operator changes ballads at random nodes, and the leader is killed.

All nodes share this machine's processors: how far apart two screens change is mostly how long
seven players wait for each other to draw. Exit status 1 if a figure is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from player.cards.strip_code import StripError
from player.cards.strip_reader import decode
from player.clock import HouseClock
from shows.schema import Node
from shows.show_file import save_settings
from tests.tiny_show import make_tiny_show

ROOT = Path(__file__).resolve().parent.parent
WIDTH_PX, HEIGHT_PX = 128, 96
FRAME_NS = 1_000_000_000 // 30
CHANGE_FRAMES = 10
NAMESPACE = "inspace-{}"


@dataclass
class Player:
    """One node: its process and what its screen showed. events: (ns, frame) at each change."""

    name: str
    number: int
    front: Path
    process: subprocess.Popen[str] | None = None
    events: list[tuple[int, int]] = field(default_factory=list)
    end: int = -1

    @property
    def namespace(self) -> str:
        return NAMESPACE.format(self.name)

    @property
    def address(self) -> str:
        return f"10.77.0.{self.number}"


def run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")


def lay_cables(players: Sequence[Player], loss: int, undo: ExitStack) -> list[str]:
    """Namespaces, cables and loss; the switch's ends of the cables."""
    switch = NAMESPACE.format("switch")
    for namespace in [switch, *(player.namespace for player in players)]:
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)
        run("ip", "netns", "add", namespace)
        undo.callback(subprocess.run, ["ip", "netns", "del", namespace], capture_output=True)
    ends = []
    for player in players:
        here, there = f"inode{player.number}", f"iport{player.number}"
        run("ip", "link", "add", here, "netns", player.namespace, "type", "veth",
            "peer", "name", there, "netns", switch)  # fmt: skip
        inside = ["ip", "-n", player.namespace]
        run(*inside, "addr", "add", f"{player.address}/24", "dev", here)
        run(*inside, "link", "set", here, "up")
        run(*inside, "link", "set", "lo", "up")
        run("ip", "-n", switch, "link", "set", there, "up")
        if loss:
            inside_nft = ["ip", "netns", "exec", player.namespace, "nft"]
            run(*inside_nft, "add table inet lossy")
            hook = "{ type filter hook input priority 0; }"
            run(*inside_nft, f"add chain inet lossy input {hook}")
            drop = f"udp dport 9010 numgen random mod 100 < {loss} drop"
            run(*inside_nft, f"add rule inet lossy input {drop}")
        ends.append(there)
    return ends


def start(player: Player, show: Path, folder: Path, rng: random.Random) -> None:
    """Its clock is ahead of this machine's by up to ten days."""
    words = ["ip", "netns", "exec", player.namespace]
    words += [
        "unshare",
        "--time",
        "--fork",
        "--kill-child",
        "--monotonic",
        str(rng.randrange(864_000)),
    ]
    words += [sys.executable, str(ROOT / "run_installation.py"), "--show", str(show)]
    words += ["--node", player.name, "--outputs", "headless", "--mode", "slate", "--stamp"]
    words += ["--size", f"{WIDTH_PX}x{HEIGHT_PX}", "--front-buffer", str(player.front)]
    words += ["--osc-host", "0.0.0.0", "--report", str(folder / f"{player.name}.json")]
    log = (folder / f"{player.name}.log").open("a")
    player.front.unlink(missing_ok=True)
    player.end = -1
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "LP_NUM_THREADS": "1"}
    player.process = subprocess.Popen(words, stdout=log, stderr=log, text=True, env=environment)
    log.close()


class Watch:
    """Looks at all front buffers, thousands of times a second, and notes what changes when."""

    def __init__(self, players: Sequence[Player]) -> None:
        self._players = players
        self._clock = HouseClock()
        self._memory: dict[str, np.memmap] = {}
        self.unreadable = 0

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def look(self, until: Callable[[], bool]) -> None:
        """Until the condition holds."""
        while not until():
            for player in self._players:
                self._look_at(player)
            self._clock.wait_until_ns(self._clock.now_ns() + 200_000)

    def picture(self, player: Player) -> np.ndarray | None:
        """What its screen shows, or None in the middle of a change."""
        memory = self._memory.get(player.name)
        if memory is None:
            return None
        head = memory[:64].view(np.int64)
        end = int(head[5])
        pixels = np.array(memory[64:]).reshape(HEIGHT_PX, WIDTH_PX, 3)
        return pixels if int(head[4]) == end == int(head[5]) else None

    def open(self, player: Player) -> bool:
        """Once its file is there and whole."""
        try:
            memory = np.memmap(player.front, np.uint8, "r")
        except (OSError, ValueError):
            return False
        if memory.size < 64 + WIDTH_PX * HEIGHT_PX * 3:
            return False
        self._memory[player.name] = memory
        return True

    def close(self, player: Player) -> None:
        self._memory.pop(player.name, None)

    def _look_at(self, player: Player) -> None:
        memory = self._memory.get(player.name)
        if memory is None or int(memory[:64].view(np.int64)[5]) == player.end:
            return
        seen_ns, end = self._clock.now_ns(), int(memory[:64].view(np.int64)[5])
        picture = self.picture(player)
        if picture is None:
            return
        player.end = end
        try:
            player.events.append((seen_ns, decode(picture)))
        except StripError:
            self.unreadable += 1


def spreads_ms(players: Sequence[Player], from_ns: int) -> list[float]:
    """For each frame that all have shown since, how far apart in ms they began to."""
    shown: dict[int, dict[str, int]] = defaultdict(dict)
    for player in players:
        for ns, frame in player.events:
            if ns >= from_ns:
                shown[frame].setdefault(player.name, ns)
    whole = [times.values() for times in shown.values() if len(times) == len(players)]
    return [(max(times) - min(times)) / 1e6 for times in whole]


def agreement(players: Sequence[Player], from_ns: int, to_ns: int, border_ns: int) -> float:
    """Share of instants at which all show one frame, out of those further than this from the
    middle (over the nodes) of a change of frame."""
    tracks = [
        (np.array([ns for ns, _ in p.events]), np.array([frame for _, frame in p.events]))
        for p in players
    ]
    shown: dict[int, list[int]] = defaultdict(list)
    for player in players:
        for ns, frame in player.events:
            shown[frame].append(ns)
    borders = np.array(sorted(int(median(times)) for times in shown.values()))
    instants = np.random.default_rng(1).integers(from_ns, to_ns, 20_000)
    place = np.searchsorted(borders, instants)
    nearest = np.minimum(
        np.abs(instants - borders[np.clip(place - 1, 0, None)]),
        np.abs(instants - borders[np.clip(place, None, len(borders) - 1)]),
    )
    instants = instants[nearest > border_ns]
    frames = [track[1][np.searchsorted(track[0], instants, "right") - 1] for track in tracks]
    return float(np.all([frame == frames[0] for frame in frames], axis=0).mean())


def jumps(player: Player, from_ns: int) -> int:
    """Changes of the frame number that go back, or on by more than a tenth of a second."""
    frames = [frame for ns, frame in player.events if ns >= from_ns]
    return sum(not 0 <= b - a <= 3 for a, b in pairwise(frames))


def inside(player: Player, *words: str) -> subprocess.Popen[str]:
    """tests.node_voices in the node's namespace."""
    command = ["ip", "netns", "exec", player.namespace, sys.executable, "-m", "tests.node_voices"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *words], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


def asker(player: Player, pattern: str, seconds: float) -> subprocess.Popen[str]:
    """Asks a node, at home, for its status until it fits."""
    return inside(player, "ask", pattern, str(seconds))


def answered(watch: Watch, asking: subprocess.Popen[str]) -> tuple[int, str]:
    """When it fitted, and the line; (0, "") if it never did. The screens are watched meanwhile."""
    watch.look(lambda: asking.poll() is not None)
    assert asking.stdout is not None
    ns, _, line = asking.stdout.read().strip().partition(" ")
    return (int(ns), line) if ns else (0, "")


def command_times_ms(
    watch: Watch, players: Sequence[Player], commands: int, rng: random.Random
) -> tuple[list[float], int]:
    """From the operator's datagram at a random node to the first changed picture on screen 1, and
    how many changed nothing within 3 s."""
    times: list[float] = []
    missed = 0
    first = players[0]
    senders = [inside(player, "send") for player in players]
    for number in range(commands):
        rest_ns = watch.now_ns() + int(1e9 + rng.random() * 1e8)
        watch.look(lambda until=rest_ns: watch.now_ns() >= until)
        before = watch.picture(first)
        while before is None:
            before = watch.picture(first)
        top = before[: HEIGHT_PX // 2]  # the strip is below
        asked = rng.choice(senders)
        assert asked.stdin is not None and asked.stdout is not None
        asked.stdin.write(f"{2 + number % 6}\n")
        asked.stdin.flush()
        sent_ns = int(asked.stdout.readline())

        def changed(sent_ns: int = sent_ns, top: np.ndarray = top) -> bool:
            now = watch.picture(first)
            is_other = now is not None and bool((now[: HEIGHT_PX // 2] != top).any())
            return is_other or watch.now_ns() - sent_ns > 3e9

        watch.look(changed)
        took_ms = (watch.now_ns() - sent_ns) / 1e6
        missed += took_ms > 3000
        times.append(took_ms)
    for sender in senders:
        sender.kill()
        sender.wait()
    return times, missed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--loss", type=int, default=5, help="per cent, of what each node receives")
    parser.add_argument("--commands", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(arguments)
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name, ExitStack() as undo:
        folder = Path(name)
        players = [Player(f"node-{n}", n, folder / f"front-{n}") for n in range(1, args.nodes + 1)]
        show = make_tiny_show(folder / "show", screens=args.nodes, paintings=2, size=64)
        nodes = tuple(
            Node(name=p.name, host=p.address, screens=(f"screen-{p.number}",)) for p in players
        )
        update = {"nodes": nodes, "ballad_change_frames": CHANGE_FRAMES}
        save_settings(show.folder, show.settings.model_copy(update=update))
        ends = lay_cables(players, args.loss, undo)
        switch = NAMESPACE.format("switch")
        relay = subprocess.Popen(
            ["ip", "netns", "exec", switch, sys.executable, "-m", "tests.ethernet_relay",
             str(args.seed), *ends], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        undo.callback(relay.kill)
        assert relay.stdout is not None and relay.stdout.readline() == "ready\n"
        for player in players:
            start(player, show.folder, folder, rng)
            undo.callback(stop, player)
        watch = Watch(players)
        try:
            told = measured(watch, players, show.folder, folder, rng, args)
        except BaseException:  # whatever it is goes on, with the players' last words before it
            for player in players:
                print(player.end, player.events[-3:])
                print(f"-- {player.name}\n" + (folder / f"{player.name}.log").read_text()[-2000:])
            raise
    for key, value in told.items():
        print(f"{key:>28}  {value}")
    if args.json is not None:
        args.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    missed = [
        told["commands_missed"] > 0,
        told["index_jumps"] > 0,
        told["takeover_s"] > 1.5,
        told["same_frame_in_mid_frame"] < 0.999,
        len(set(told["one_instant"])) > 1,
    ]
    return 1 if any(missed) else 0


def measured(
    watch: Watch,
    players: list[Player],
    show: Path,
    folder: Path,
    rng: random.Random,
    args: argparse.Namespace,
) -> dict[str, object]:
    """Play, watch, command, kill; every figure by name."""
    waiting_until = watch.now_ns() + 90_000_000_000

    def all_play() -> bool:
        for player in players:
            assert player.process is not None and player.process.poll() is None, player.name
            if player.end < 0:
                watch.open(player)
        assert watch.now_ns() < waiting_until, "the players do not come"
        newest = [player.events[-1][1] if player.events else 0 for player in players]
        return min(newest) > 60

    watch.look(all_play)
    settle_ns = watch.now_ns() + 15_000_000_000
    watch.look(lambda: watch.now_ns() >= settle_ns)
    from_ns = watch.now_ns()
    watch.look(lambda: watch.now_ns() >= from_ns + args.seconds * 1_000_000_000)
    to_ns = watch.now_ns() - 100_000_000
    apart = sorted(spreads_ms(players, from_ns))
    told: dict[str, object] = {
        "nodes": len(players),
        "loss_per_cent": args.loss,
        "frames_seen_on_all": len(apart),
        "change_apart_ms_p50": round(apart[len(apart) // 2], 2),
        "change_apart_ms_p99": round(apart[len(apart) * 99 // 100], 2),
        "same_frame_beyond_1_ms": round(agreement(players, from_ns, to_ns, 1_000_000), 5),
        "same_frame_in_mid_frame": round(agreement(players, from_ns, to_ns, FRAME_NS * 2 // 5), 5),
        "unreadable_strips": watch.unreadable,
    }
    told["one_instant"] = one_instant(watch, players)
    times, missed = command_times_ms(watch, players, args.commands, rng)
    times.sort()
    told["command_ms_p50"] = round(times[len(times) // 2], 1)
    told["command_ms_max"] = round(times[-1], 1)
    told["commands_missed"] = missed
    told["status"] = answered(watch, asker(players[1], "node-2", 5))[1]
    leads = re.search(r"(node-\d+) leads|follows (node-\d+)", str(told["status"]))
    assert leads is not None, told["status"]
    leader = next(player for player in players if player.name in leads.groups())
    others = [player for player in players if player is not leader]
    asking = asker(others[0], f"{others[0].name} leads", 8)
    rest_ns = watch.now_ns() + 1_000_000_000
    watch.look(lambda: watch.now_ns() >= rest_ns)
    killed_ns = watch.now_ns()
    stop(leader)
    watch.close(leader)
    taken_ns, _ = answered(watch, asking)
    told["takeover_s"] = round((taken_ns - killed_ns) / 1e9, 2) if taken_ns else 99.0
    after_ns = watch.now_ns() + 3_000_000_000
    watch.look(lambda: watch.now_ns() >= after_ns)
    start(leader, show, folder, rng)
    waiting_until = watch.now_ns() + 60_000_000_000

    def is_back() -> bool:
        assert watch.now_ns() < waiting_until, "the old leader does not come back"
        if leader.end < 0:
            watch.open(leader)
        back = [frame for ns, frame in leader.events if ns > after_ns]
        return bool(back) and abs(back[-1] - others[0].events[-1][1]) <= 1

    watch.look(is_back)
    settle_ns = watch.now_ns() + 5_000_000_000
    watch.look(lambda: watch.now_ns() >= settle_ns)
    told["index_jumps"] = sum(jumps(player, killed_ns - 5_000_000_000) for player in others)
    told["one_instant_after_return"] = one_instant(watch, players)
    told["status_of_the_old_leader"] = answered(watch, asker(leader, leader.name, 5))[1]
    for player in players:
        assert player.process is not None
        player.process.send_signal(signal.SIGTERM)
    return told


def one_instant(watch: Watch, players: Sequence[Player]) -> list[int]:
    """The frame numbers of all strips, photographed at one instant in the middle of a frame."""
    while True:
        last_ns = players[-1].events[-1][0]
        watch.look(lambda last_ns=last_ns: players[-1].events[-1][0] > last_ns)
        shot_ns = players[-1].events[-1][0] + FRAME_NS // 2
        watch.look(lambda shot_ns=shot_ns: watch.now_ns() >= shot_ns)
        began_ns = watch.now_ns()
        photographs = [watch.picture(player) for player in players]
        if watch.now_ns() - began_ns < 2_000_000:  # else the camera shook
            return [-1 if photo is None else decode(photo) for photo in photographs]


def stop(player: Player) -> None:
    """At once, the player inside its wrappers too."""
    if player.process is not None and player.process.poll() is None:
        player.process.kill()
        player.process.wait()


if __name__ == "__main__":
    sys.exit(main())
