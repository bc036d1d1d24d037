"""Tells the people whom the show file names: at opening, and on red.

`Watch` finds out of each minute's figures whether there is something to tell; `Teller` sends it on
a thread of its own, with time limits and three attempts. There is no other network in here.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence

from player.upkeep.journal_file import Entry, clean
from player.upkeep.night_facts import Minute, minute_of
from player.upkeep.tell_message import Message, TellingError
from player.upkeep.wall_time import SECOND_NS
from shows.notify_schema import Notify

_log = logging.getLogger("player.upkeep")

ATTEMPTS_AFTER_S = (5.0, 30.0)  # pauses before the second and the third attempt
ROOM = 16
QUIET_NS = 600 * SECOND_NS  # of one state, no second message within ten minutes
CLOSE_S = 2.0
RED_STILLS_S = 30.0  # of a minute
RED_DROPPED = 0.1

Channel = Callable[[Message], None]  # raises TellingError


def channels(notify: Notify, environment: Mapping[str, str]) -> tuple[list[Channel], list[str]]:
    """The ways to tell, and a sentence for each that lacks its environment variable."""
    # the libraries of the network take 20 ms to load, which most starts need not spend
    from player.upkeep.tell_channels import post_webhook, send_mail

    found: list[Channel] = []
    missing: list[str] = []
    if notify.webhook_env:
        url = environment.get(notify.webhook_env, "")
        if url:
            found.append(lambda message: post_webhook(url, message))
        else:
            missing.append(
                f"notify.webhook_env: the environment variable {notify.webhook_env} is not set; "
                "nobody is told by webhook."
            )
    if notify.email:
        server, to = environment.get(notify.smtp_env, ""), notify.email
        if server:
            found.append(lambda message: send_mail(server, to, message))
        else:
            missing.append(
                f"notify.email: the environment variable {notify.smtp_env} is not set; "
                "nobody is told by e-mail."
            )
    return found, missing


class Teller:
    """Sends messages. Every call returns at once and raises nothing."""

    def __init__(
        self,
        notify: Notify | None,
        show: str,
        environment: Mapping[str, str],
        *,
        wall_ns: Callable[[], int],
        on_fault: Callable[[str], None] = _log.warning,
        ways: Sequence[Channel] | None = None,
        pauses_s: Sequence[float] = ATTEMPTS_AFTER_S,
    ) -> None:
        """notify: None tells nobody. show: its title. on_fault: gets a sentence, from the thread.

        ways: instead of those that `notify` and the environment name.
        """
        found, missing = channels(notify, environment) if notify is not None else ([], [])
        self._ways = found if ways is None else list(ways)
        self._missing = missing if ways is None else []
        self._occasions = () if notify is None else notify.on
        self._show, self._wall_ns, self._on_fault = clean(show, 100), wall_ns, on_fault
        self._pauses_s = tuple(pauses_s)
        self._waiting: queue.Queue[Message | None] = queue.Queue(ROOM)
        self._ending = threading.Event()
        self._told_ns: dict[str, int] = {}
        self._held_back: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="telling", daemon=True)

    def start(self) -> None:
        """Begin to send. What lacks its environment variable is told to `on_fault`."""
        for sentence in self._missing:
            self._on_fault(sentence)
        if self._ways:
            self._thread.start()

    def take_title(self, show: str) -> None:
        """Of the show that messages are about from now on."""
        self._show = clean(show, 100)

    def close(self) -> None:
        """Give what waits 2 s more, one attempt each. Harmless a second time."""
        self._ending.set()
        if self._thread.is_alive():
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                return
            self._thread.join(CLOSE_S)

    def tell(self, state: str, sentence: str) -> None:
        """Tell of a state: "open", "red", or "green" when red is over.

        Within ten minutes of a message of the same state nothing is sent; the next one says how
        many were held back.
        """
        occasion = "red" if state == "green" else state
        if not self._ways or occasion not in self._occasions or self._ending.is_set():
            return
        now_ns = self._wall_ns()
        before_ns = self._told_ns.get(state)
        if before_ns is not None and 0 <= now_ns - before_ns < QUIET_NS:
            self._held_back[state] = self._held_back.get(state, 0) + 1
            return
        self._told_ns[state] = now_ns
        held_back = self._held_back.pop(state, 0)
        more = f" ({held_back} more of the kind in between.)" if held_back else ""
        message = Message(self._show, state, clean(sentence, 1000) + more, now_ns)
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            self._held_back[state] = held_back + 1

    def _run(self) -> None:
        while (message := self._waiting.get()) is not None:
            for way in self._ways:
                self._send(way, message)

    def _send(self, way: Channel, message: Message) -> None:
        for pause_s in (*self._pauses_s, None):
            try:
                way(message)
            except TellingError as fault:
                if pause_s is None or not fault.may_help or self._ending.wait(pause_s):
                    self._on_fault(f"Nobody could be told ({message.state}). {fault}")
                    return
            else:
                return


class Watch:
    """Looks at each minute's facts, as `Minutes` hands them on; tells what has changed.

    A minute is red when, with the doors open, a screen showed stills for half of it or more, or a
    tenth of its frames were never shown.
    """

    def __init__(self, tell: Callable[[str, str], None], *, is_restart: bool = False) -> None:
        """is_restart: the player was restarted; that is no opening."""
        self._tell = tell
        self._was_open = is_restart
        self._was_red = False

    def look(self, facts: Mapping[str, object]) -> None:
        """Once a minute; facts that are no minute are passed over."""
        minute = minute_of(Entry(0, "minute", "", facts))
        if minute is None:
            return
        trouble = trouble_of(minute) if minute.is_open else None
        if minute.is_open and not self._was_open:
            self._tell("open", f"Open. {trouble or 'Every screen shows what it should.'}")
        if trouble and not self._was_red:
            self._tell("red", f"Red: {trouble[0].lower() + trouble[1:]}")
        elif self._was_red and minute.is_open and not trouble:
            self._tell("green", "No longer red: every screen shows what it should.")
        self._was_open = minute.is_open
        self._was_red = trouble is not None


def trouble_of(minute: Minute) -> str | None:
    """What makes a minute red, as a sentence; None for a good one."""
    stills = [
        screen
        for screen, seconds_by_source in minute.by_screen.items()
        if seconds_by_source.get("slate", 0.0) >= min(RED_STILLS_S, minute.seconds / 2)
    ]
    if len(stills) > 2 and len(stills) == len(minute.by_screen):
        return "Stills in place of moving pictures on every screen."
    if stills:
        return f"Stills in place of moving pictures on {', '.join(stills)}."
    if minute.dropped > RED_DROPPED * (minute.ticks + minute.dropped):
        return f"The pictures stutter: {minute.dropped} frames of a minute were not shown."
    return None
