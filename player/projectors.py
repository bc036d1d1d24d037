"""Switches the projectors of a show on and off by its schedule, through PJLink (class 1).

A thread of its own with an event loop; nothing here is ever waited for by the frame loop. A
projector is told once a change of what is wanted, until it has obeyed, and then only asked how it
is: one that a person switches by hand is left alone until the next opening or closing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from shows.schedule import projectors_wanted_at, utc_of
from shows.schedule_schema import Projector
from shows.show import Show

_log = logging.getLogger(__name__)

MISSING = "the library aiopjlink is not installed: pip install 'inspace-ballads-player[projectors]'"


class ProjectorError(Exception):
    """A projector did not do what was asked; the text goes on after its name."""


@dataclass(frozen=True)
class Patience:
    """Seconds. answer_s: for one answer. retry_s: after a failure, doubled up to longest_s.
    watch_s: between questions how it is. look_s: between looks at the schedule."""

    answer_s: float = 4.0
    retry_s: float = 2.0
    longest_s: float = 60.0
    watch_s: float = 60.0
    look_s: float = 1.0


class ProjectorDesk:
    """All projectors of a show. `start` begins, `close` ends; neither switches anything off."""

    def __init__(
        self,
        show: Show,
        *,
        wall_ns: Callable[[], int],
        environment: Mapping[str, str],
        patience: Patience = Patience(),
    ) -> None:
        """wall_ns: the wall clock, ns since 1970 UTC. environment: where the passwords are."""
        self._projectors = show.settings.projectors
        self._schedule = show.settings.schedule
        self._wall_ns, self._environment, self._patience = wall_ns, environment, patience
        self._states = {projector.name: "is not asked yet" for projector in self._projectors}
        self._ending = threading.Event()
        self._wake: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if the show has projectors."""
        if self._projectors and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="projectors", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End within two seconds; the projectors stay as they are."""
        self._ending.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def take_over(self, show: Show) -> None:
        """The schedule of a show that was read anew; its projectors are the same."""
        self._schedule = show.settings.schedule

    def describe(self) -> str:
        """As in "left is on; right cannot be reached at ..."; empty without projectors."""
        return "; ".join(f"{name} {state}" for name, state in self._states.items())

    def _run(self) -> None:
        try:
            asyncio.run(self._tend_all())
        except ImportError:
            for projector in self._projectors:
                self._note(projector, f"is not switched: {MISSING}", failed=True)

    async def _tend_all(self) -> None:
        import aiopjlink  # noqa: F401  so that it is missed once and not by every projector

        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._wake = lambda: loop.is_closed() or loop.call_soon_threadsafe(ending.set)
        if self._ending.is_set():
            return
        tasks = [asyncio.create_task(self._tend(projector)) for projector in self._projectors]
        await ending.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0)

    async def _tend(self, projector: Projector) -> None:
        patience, retry_s = self._patience, self._patience.retry_s
        obeyed: bool | None = None
        while True:
            wanted = self._is_wanted()
            try:
                password = self._password_of(projector)
                is_on, state = await switched(
                    projector,
                    password,
                    on=None if wanted == obeyed else wanted,
                    answer_s=patience.answer_s,
                )
            except ProjectorError as fault:
                self._note(projector, str(fault), failed=True)
                pause_s, retry_s = retry_s, min(2 * retry_s, patience.longest_s)
            else:
                self._note(projector, state, failed=False)
                obeyed = wanted if is_on == wanted else obeyed
                is_settled = obeyed == wanted
                pause_s = patience.watch_s if is_settled else retry_s
                retry_s = patience.retry_s if is_settled else min(2 * retry_s, patience.longest_s)
            while pause_s > 0 and self._is_wanted() == wanted:
                await asyncio.sleep(min(pause_s, patience.look_s))
                pause_s -= patience.look_s
            if self._is_wanted() != wanted:
                retry_s = patience.retry_s

    def _is_wanted(self) -> bool:
        return projectors_wanted_at(self._schedule, utc_of(self._wall_ns()))

    def _password_of(self, projector: Projector) -> str | None:
        name = projector.password_env
        if name is None:
            return None
        password = self._environment.get(name, "")
        if not password:
            raise ProjectorError(
                f"is not switched: set the environment variable {name} to its PJLink password"
            )
        return password

    def _note(self, projector: Projector, state: str, *, failed: bool) -> None:
        if self._states[projector.name] != state:
            self._states[projector.name] = state
            level = logging.WARNING if failed else logging.INFO
            _log.log(level, "projector %s %s", projector.name, state)


async def switched(
    projector: Projector, password: str | None, *, on: bool | None, answer_s: float
) -> tuple[bool, str]:
    """Switch a projector, unless it is so already. on: None only asks how it is.

    Returns whether it is lit, or about to be, and its state in words. Raises ProjectorError
    for everything that can go wrong on the way, a time-out of answer_s (seconds) included.
    """
    try:
        # A connection for each command: some projectors close it after one.
        async with _linked(projector, password, answer_s) as link:
            state = await link.power.get()
        if on is not None and bool(state) != on:
            async with _linked(projector, password, answer_s) as link:
                await (link.power.turn_on() if on else link.power.turn_off())
            async with _linked(projector, password, answer_s) as link:
                state = await link.power.get()
    except _faults() as fault:
        raise ProjectorError(_sentence(projector, fault)) from fault
    words = {"0": "is off", "1": "is on", "2": "is cooling down", "3": "is warming up"}
    return bool(state), words[state.value]


@asynccontextmanager
async def _linked(
    projector: Projector, password: str | None, answer_s: float
) -> AsyncIterator[Any]:
    from aiopjlink import PJLink

    class Link(PJLink):  # type: ignore[misc]
        async def _read_next(self) -> str:
            # Some projectors put zero bytes before an answer, which the library takes for its head.
            return str(await super()._read_next()).lstrip("\0")

    link = Link(projector.host, projector.port, password=password, timeout=answer_s)
    try:
        async with asyncio.timeout(3 * answer_s), link:
            yield link
    finally:
        # The library leaves the socket open where the greeting was not what it should be.
        writer = getattr(link, "_writer", None)
        if writer is not None:
            writer.close()


def _faults() -> tuple[type[Exception], ...]:
    """What comes of a dead, busy, foreign or hostile other end, by the library and past it."""
    from aiopjlink import PJLinkException

    # A flood without an end, text that is none, an answer too short, an unknown number.
    past_it = (asyncio.LimitOverrunError, EOFError, ValueError, IndexError)
    return (PJLinkException, OSError, *past_it)


def _sentence(projector: Projector, fault: Exception) -> str:
    import aiopjlink.projector as pjlink

    where = f"{projector.host} port {projector.port}"
    if isinstance(fault, pjlink.PJLinkPassword):
        name = projector.password_env
        if name is None:
            return "asks for a password: name its environment variable as password_env"
        return f"refuses the password in the environment variable {name}"
    if isinstance(fault, pjlink.PJLinkERR3):
        return "is busy for now, and is asked again"
    if isinstance(fault, pjlink.PJLinkERR4):
        return "reports a failure of its own: look at its display"
    if isinstance(fault, pjlink.PJLinkNoConnection | OSError | pjlink.PJLinkConnectionClosed):
        return (
            f"does not answer at {where}: check its address, its cable, and that its network stays "
            "on in standby"
        )
    return f"answers at {where}, but not in PJLink as it should ({type(fault).__name__})"
