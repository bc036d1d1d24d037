"""Starts the player, and starts it again when it ends or shows nothing new.

For machines without systemd, such as Windows; under systemd the unit in scripts/ does the same, and
both hear the same heartbeat. What the player goes on with is in its state file.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from player.clock import Clock, HouseClock
from player.upkeep.heartbeat import ADDRESS_VARIABLE, FAMILY_VARIABLE, SYSTEMD_VARIABLE
from player.upkeep.heartbeat_port import HeartbeatPort
from player.upkeep.patience import Failures, Life, after, complaint, looked, pause_s
from player.upkeep.patience import Patience as Patience
from player.upkeep.play_arguments import with_state_file
from player.upkeep.process_family import ask_to_end, kill_family, start_family

RESTARTS_VARIABLE = "INSPACE_RESTARTS"  # how often the player was started again, for its journal
REASON_VARIABLE = "INSPACE_RESTART_REASON"  # why it was the last time: a sentence
WRONG_USAGE = 2  # argparse's exit status
STOP_WITHIN_S = 5.0
# Lives in a row without a picture after which the state file is no longer trusted.
UNSEEN_UNTIL_ASIDE = 3
_LOOK_EVERY_S = 0.05
_ROOT = Path(__file__).resolve().parents[2]

_log = logging.getLogger("supervisor")


@dataclass(frozen=True)
class _End:
    """How a life ended. status: the exit status, None: it was ended for what `reason` says."""

    status: int | None
    reason: str
    life: Life


def run(play_arguments: Sequence[str]) -> int:
    """Play under supervision until the show ends or a signal comes; the exit status.

    play_arguments: as for `run_installation.py play`. `--state FILE` is added unless given.
    """
    words, state = with_state_file(list(play_arguments), os.environ)
    command = [sys.executable, str(_ROOT / "run_installation.py"), "play", *words]
    return run_command(command, state=state, patience=Patience())


def run_command(command: Sequence[str], *, state: Path, patience: Patience) -> int:
    """`supervise` with the log, and with the signals of a process of its own."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    with _signals() as told_to_stop:
        return supervise(command, patience=patience, log=_log.info, stop=told_to_stop, state=state)


def supervise(
    command: Sequence[str],
    *,
    patience: Patience,
    log: Callable[[str], None],
    stop: Callable[[], bool],
    state: Path,
) -> int:
    """Keep `command` showing pictures until it ends by itself or `stop` becomes true.

    It is started with INSPACE_HEARTBEAT, and in later lives INSPACE_RESTARTS and
    INSPACE_RESTART_REASON. Status 0 is a clean end and ends this too, with 0; so does 2 (wrong
    usage) before any picture. Anything else, or no sign of pictures, ends the command with all it
    has started, and it is started again, after a pause that grows while it keeps failing. state:
    its state file, set aside (renamed) after three lives in a row without a picture. Told to stop,
    the command has 5 s to end by itself. On Linux it also ends when the calling thread does.
    """
    clock, failures, restarts, reason = HouseClock(), Failures(), 0, ""
    with contextlib.ExitStack() as closing:
        try:
            port = closing.enter_context(HeartbeatPort())
        except OSError as fault:
            log(f"The supervisor cannot listen on this machine's loopback address: {fault}.")
            return 1
        while not stop():
            told = {RESTARTS_VARIABLE: str(restarts), REASON_VARIABLE: reason}
            end = _live(command, told if restarts else {}, port, patience, stop, clock)
            if stop():
                is_clean = end.status in (0, -int(signal.SIGTERM))
                log("The player was told to end, and has ended." if is_clean else end.reason)
                return 0 if is_clean else 1
            if end.status == 0:
                return 0
            if end.status == WRONG_USAGE and not end.life.has_shown:
                return WRONG_USAGE
            failures = after(failures, end.life, patience)
            restarts, reason = restarts + 1, end.reason
            wait_s = pause_s(failures, patience)
            log(f"{reason} It is started again in {wait_s:g} s (restart {restarts}).")
            if failures.unseen == UNSEEN_UNTIL_ASIDE:
                _set_aside(state, log)
            _pause(wait_s, port, stop, clock)
    return 0


def _live(
    command: Sequence[str],
    told: Mapping[str, str],
    port: HeartbeatPort,
    patience: Patience,
    stop: Callable[[], bool],
    clock: Clock,
) -> _End:
    """One life of the player, to its end: nothing of it is left then."""
    family = secrets.token_hex(8)
    environment = {
        **_without_watchers(os.environ),
        **told,
        ADDRESS_VARIABLE: port.address,
        FAMILY_VARIABLE: family,
    }
    life = Life(looked_ns=clock.now_ns())
    try:
        process = start_family(command, environment=environment)
    except OSError as fault:
        return _End(None, f"The player cannot be started: {fault}.", life)
    try:
        while (status := process.poll()) is None and not stop():
            heard = port.listen(family, _LOOK_EVERY_S)
            life = looked(life, clock.now_ns(), beats=heard.beats)
            if why := complaint(life, patience):
                return _End(None, f"The player {why} and was ended.", life)
        if status is None:
            status = _stopped(process)
            if status is None:
                return _End(None, "The player did not end when told to, and was ended.", life)
        return _End(status, f"The player {_exit_words(status)}.", life)
    finally:
        kill_family(process, FAMILY_VARIABLE, family)


def _stopped(process: subprocess.Popen[bytes]) -> int | None:
    """Tell it to end; its status, None if it has not ended in time."""
    ask_to_end(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(STOP_WITHIN_S)
    return None


def _pause(seconds: float, port: HeartbeatPort, stop: Callable[[], bool], clock: Clock) -> None:
    end_ns = clock.now_ns() + int(seconds * 1e9)
    while not stop() and (left_ns := end_ns - clock.now_ns()) > 0:
        port.listen("", min(left_ns / 1e9, _LOOK_EVERY_S))  # what the last life said, is dropped


def _set_aside(state: Path, log: Callable[[str], None]) -> None:
    aside = state.with_name(f"{state.name}.set-aside")
    try:
        os.replace(state, aside)
    except FileNotFoundError:
        return
    except OSError as fault:
        log(f"{state} cannot be set aside: {fault.strerror}. Remove it by hand.")
        return
    log(
        f"No picture came in {UNSEEN_UNTIL_ASIDE} starts: what the player went on with is set "
        f"aside as {aside}, and the show begins at its beginning."
    )


def _without_watchers(environment: Mapping[str, str]) -> dict[str, str]:
    """The player speaks to us alone, not to who watches over us."""
    dropped = (SYSTEMD_VARIABLE, "WATCHDOG_USEC", "WATCHDOG_PID", RESTARTS_VARIABLE)
    return {name: value for name, value in environment.items() if name not in dropped}


def _exit_words(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


@contextlib.contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """True from the first signal on that asks this process to end. In the main thread."""
    received: list[int] = []
    numbers = [
        number
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        if (number := getattr(signal, name, None)) is not None
    ]
    before = {
        number: signal.signal(number, lambda got, _frame: received.append(got))
        for number in numbers
    }
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
