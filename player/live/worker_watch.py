"""Whether a worker is alive, and how long to wait before the next one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from player.live.ring_layout import WorkerFacts, WorkerState

# A single look accounts for no more silence than this: if the player itself was held up for longer
# (a suspended or overloaded machine), the worker was too.
_LONGEST_LOOK_NS = 100_000_000


@dataclass(frozen=True)
class Limits:
    """When to give a worker up and how soon to try again, in ns."""

    hung_ns: int = 300_000_000  # no heartbeat, once it has made a picture
    hung_renders: int = 4  # ... and no shorter than so many of its usual renders
    # from spawn to the first picture: calibrating a network of 1024 pixels took 56 s on two cores
    starting_ns: int = 300_000_000_000
    first_pause_ns: int = 250_000_000  # after the first failure; doubles with each further one
    longest_pause_ns: int = 30_000_000_000
    healthy_ns: int = 5_000_000_000  # ready for so long, and earlier failures are forgotten


@dataclass(frozen=True)
class Watch:
    """What has been seen of one worker."""

    looked_ns: int  # time of the last look
    starting_ns: int = 0  # watched time before it was ready
    silent_ns: int = 0  # watched time since its heartbeat last moved
    ready_ns: int = 0  # watched time since it was ready
    heartbeat: int = 0


def look(watch: Watch, now_ns: int, facts: WorkerFacts) -> Watch:
    """The watch after one more look at `now_ns`."""
    step_ns = min(max(now_ns - watch.looked_ns, 0), _LONGEST_LOOK_NS)
    moved = facts.heartbeat != watch.heartbeat
    seen = replace(
        watch,
        looked_ns=now_ns,
        heartbeat=facts.heartbeat,
        silent_ns=0 if moved else watch.silent_ns + step_ns,
    )
    if facts.state < WorkerState.READY:
        return replace(seen, starting_ns=watch.starting_ns + step_ns, silent_ns=0)
    return replace(seen, ready_ns=watch.ready_ns + step_ns)


def complaint(
    watch: Watch, facts: WorkerFacts, limits: Limits, worker: str = "synthesis worker"
) -> str | None:
    """Why this worker should be ended, as a sentence that calls it `worker`, or None."""
    if watch.starting_ns > limits.starting_ns:
        return (
            f"The {worker}'s engine was not ready {watch.starting_ns / 1e9:.0f} s after its start "
            "and was given up."
        )
    allowed_ns = max(limits.hung_ns, limits.hung_renders * facts.usual_ns)
    if watch.silent_ns > allowed_ns:
        return (
            f"The {worker} gave no sign of life for {watch.silent_ns / 1e6:.0f} ms and was ended."
        )
    return None


def pause_ns(failures: int, limits: Limits) -> int:
    """How long to wait before the next start, after `failures` >= 1 in a row."""
    doublings = min(failures - 1, 32)
    return min(limits.first_pause_ns << doublings, limits.longest_pause_ns)
