"""The rounds: which checks there are, and all of them at once, each with its time limit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from player.clock import Clock
from player.doctor.desktop import BLANKING, OUTPUTS, REFRESH, look_at_desktop
from player.doctor.engine import look_at_engine
from player.doctor.finding import Finding, State
from player.doctor.graphics import look_at_gl, look_at_gpu
from player.doctor.helpers import Helpers
from player.doctor.network import look_at_nodes, look_at_ports
from player.doctor.patient import Patient
from player.doctor.show_files import (
    look_at_films,
    look_at_generator,
    look_at_latents,
    look_at_show,
)
from player.doctor.storage import look_at_disk, look_at_files
from player.doctor.system import (
    look_at_clock,
    look_at_memory,
    look_at_power,
    look_at_temperature,
)

Look = Callable[[Patient, Helpers], Sequence[Finding]]


@dataclass(frozen=True)
class Check:
    """names: of the findings it gives. silent: their state if it is not through in time."""

    names: tuple[str, ...]
    look: Look
    within_s: float = 8.0
    silent: State = "amber"


CHECKS: tuple[Check, ...] = (
    Check(("show",), look_at_show, silent="red"),
    Check(("generator",), look_at_generator, within_s=12.0),
    Check(("latents",), look_at_latents, silent="red"),
    Check(("films",), look_at_films),
    Check(("engine",), look_at_engine, within_s=14.5),
    Check(("gpu",), look_at_gpu),
    Check(("opengl",), look_at_gl, within_s=13.0, silent="red"),
    Check((OUTPUTS, REFRESH, BLANKING), look_at_desktop, within_s=14.0),
    Check(("ports",), look_at_ports),
    Check(("nodes",), look_at_nodes),
    Check(("clock",), look_at_clock, within_s=10.0),
    Check(("power",), look_at_power),
    Check(("memory",), look_at_memory),
    Check(("temperature",), look_at_temperature),
    Check(("disk",), look_at_disk),
    Check(("files",), look_at_files),
)


def rounds(
    patient: Patient, helpers: Helpers, clock: Clock, checks: Sequence[Check] = CHECKS
) -> Iterator[tuple[Check, Sequence[Finding]]]:
    """Each check's findings, as they come. One that is late is given up, and told.

    The checks run in threads that do not hold up the end of the process: a disk or a driver may
    hang a thread for good.
    """
    done: queue.SimpleQueue[tuple[Check, Sequence[Finding]]] = queue.SimpleQueue()
    started_ns = clock.now_ns()
    for check in checks:
        threading.Thread(
            target=lambda one=check: done.put((one, _looked(one, patient, helpers))),
            name=f"doctor {check.names[0]}",
            daemon=True,
        ).start()
    open_checks = list(checks)
    while open_checks:
        passed_s = (clock.now_ns() - started_ns) / 1e9
        for late in [check for check in open_checks if check.within_s <= passed_s]:
            open_checks.remove(late)
            yield late, _silence(late)
        if not open_checks:
            return
        wait_s = min(check.within_s for check in open_checks) - passed_s
        try:
            check, findings = done.get(timeout=max(wait_s, 0.01))
        except queue.Empty:
            continue
        if check in open_checks:
            open_checks.remove(check)
            yield check, findings


def in_order(
    found: Sequence[tuple[Check, Sequence[Finding]]], checks: Sequence[Check] = CHECKS
) -> list[Finding]:
    """The findings in the order of the checks."""
    by_check = {check.names: findings for check, findings in found}
    return [finding for check in checks for finding in by_check.get(check.names, ())]


def _looked(check: Check, patient: Patient, helpers: Helpers) -> Sequence[Finding]:
    try:
        return check.look(patient, helpers)
    except Exception as fault:  # noqa: BLE001 - a check that stumbles must not hide the others
        words = f"The check itself failed: {type(fault).__name__}: {str(fault)[:200]}."
        mend = "Look at this by hand, and tell who makes the player."
        return [Finding(name, "amber", words, mend) for name in check.names]


def _silence(check: Check) -> list[Finding]:
    words = f"Not known: it was not through within {check.within_s:.0f} s, so something hangs."
    mend = "Look at this by hand; restart the machine if it stays so."
    return [Finding(name, check.silent, words, mend) for name in check.names]
