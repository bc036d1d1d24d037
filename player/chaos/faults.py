"""Which faults come in which order, and what became of each. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal["kill", "hang", "player", "change"]
KINDS: dict[Kind, str] = {
    "kill": "worker killed (SIGKILL)",
    "hang": "worker stopped (SIGSTOP)",
    "player": "player killed (SIGKILL)",
    "change": "worker killed while the ballads change",
}
_PLAYER: Kind = "player"


@dataclass
class Fault:
    """One fault and what was seen of it.

    time_s: since the start. was_live: when it came, as the player says. frames: longest run of
    wrong ones in its window (worker faults). back_s: until the right frame was seen again (a
    player's end). live_again_s: until live was on by itself, None if it was not in time.
    """

    kind: Kind
    time_s: float
    was_live: bool = True
    frames: int | None = None
    black: int = 0
    back_s: float | None = None
    live_again_s: float | None = None
    told: tuple[str, ...] = ()  # present by present, what was seen around its wrong frames

    def as_dict(self) -> dict[str, object]:
        return {
            "time_s": round(self.time_s, 2),
            "kind": self.kind,
            "was_live": self.was_live,
            "frames": self.frames,
            "black": self.black,
            "back_s": None if self.back_s is None else round(self.back_s, 3),
            "told": list(self.told),
            "live_again_s": None if self.live_again_s is None else round(self.live_again_s, 2),
        }


def planned(kills: int, hangs: int, player_kills: int, changes: int, seed: int) -> list[Kind]:
    """All of them in a random order; a player's ends all in the first half, so that the last
    player lives long enough for its memory to tell something."""
    chance = random.Random(seed)
    wanted: dict[Kind, int] = {"kill": kills, "hang": hangs, "change": changes}
    of_the_worker = [kind for kind, count in wanted.items() for _ in range(count)]
    chance.shuffle(of_the_worker)
    first_half = max(0, (len(of_the_worker) - player_kills) // 2)
    early = of_the_worker[:first_half]
    early += [_PLAYER] * player_kills
    chance.shuffle(early)
    return early + of_the_worker[first_half:]


def pause_s(chance: random.Random, left_s: float, faults_left: int, usual_s: float) -> float:
    """How long to wait before the next fault, at random: on average so that all fit into what is
    left of the time, if each takes as long as usual."""
    mean_s = left_s / max(faults_left, 1) - usual_s
    return chance.uniform(0.0, 2 * max(mean_s, 0.25))
