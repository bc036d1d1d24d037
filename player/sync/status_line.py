"""One line for the operator on how the nodes hang together. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """What the line tells. silent_ns: since the leader was last heard; others: nodes but this."""

    name: str
    role: str
    leader: str | None
    epoch: int
    followers: int
    others: int
    is_locked: bool
    rate: float
    unsure_ns: float
    silent_ns: int
    is_silent: bool
    version: int
    steps: int
    given_up: int
    refused: int
    last_refusal: str
    differences: tuple[str, ...]


def status_line(s: Standing) -> str:
    """The parts of a standing, with `; ` between them; what needs a person comes last."""
    if s.role == "leader":
        parts = [f"{s.name} leads, epoch {s.epoch}"]
        if s.others:
            parts.append(f"{s.followers} of {s.others} others follow")
    elif s.role == "listening":
        parts = [f"{s.name} listens for a leader"]
    else:
        verb = "holds over for" if s.is_silent else "follows"
        parts = [f"{s.name} {verb} {s.leader}, epoch {s.epoch}"]
        if s.is_locked:
            parts.append(f"clock {s.rate * 1e6:+.2f} ppm, unsure by {s.unsure_ns / 1e6:.3f} ms")
        else:
            parts.append("no house time yet")
        parts.append(f"heard {s.silent_ns / 1e9:.1f} s ago")
    parts.append(f"state {s.version}" if s.version else "no state yet")
    if s.steps:
        parts.append(f"{s.steps} clock steps")
    if s.given_up:
        parts.append(f"{s.given_up} commands given up")
    if s.refused:
        parts.append(f"{s.refused} datagrams refused (the last: {s.last_refusal})")
    return "; ".join(parts + [f"DIFFERS: {text}" for text in s.differences])
