"""What the desk knows of the player, out of the OSC messages that came. Pure: times are handed in.

All times are ns of one monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from player.desk.history import History
from player.osc.packets import Message
from player.osc.rows import Value

NS_PER_S = 1_000_000_000
SILENT_NS = 2_500_000_000  # without a word for so long, the player does not answer
STALE_NS = 1_500_000_000  # without a value for so long, it may have forgotten that we subscribed
ANSWER_NS = 3_000_000_000
MOST_LOGGED = 200

Outcome = Literal["waiting", "ok", "error", "unanswered"]


@dataclass(frozen=True)
class LogLine:
    """One command. times: how often it was sent, one after the other, as a fader does."""

    at_ns: int
    address: str
    arguments: tuple[Value, ...]
    outcome: Outcome = "waiting"
    answer: str = ""
    times: int = 1


@dataclass
class DeskState:
    """values: what the player said last, by its address. history: of the last ten minutes."""

    values: dict[str, Value] = field(default_factory=dict)
    calibration: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    status_line: str = ""
    heard_ns: int | None = None
    told_ns: int | None = None
    identified: bool = False
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=MOST_LOGGED))
    history: History = field(default_factory=History)

    def copy(self) -> DeskState:
        """One that later messages do not change."""
        return replace(
            self,
            values=dict(self.values),
            calibration=dict(self.calibration),
            log=self.log.copy(),
            history=self.history.copy(),
        )

    def is_silent(self, now_ns: int) -> bool:
        """Whether the player does not answer (or has not yet)."""
        return self.heard_ns is None or now_ns - self.heard_ns > SILENT_NS

    def needs_subscription(self, now_ns: int) -> bool:
        return self.told_ns is None or now_ns - self.told_ns > STALE_NS

    def text(self, address: str, default: str = "") -> str:
        return str(self.values.get(address, default))

    def number(self, address: str, default: float = 0.0) -> float:
        value = self.values.get(address, default)
        return default if isinstance(value, str) else float(value)

    def hear(self, message: Message, now_ns: int) -> None:
        """Take in one message of the player."""
        self.heard_ns = now_ns
        if message.address == "/reply":
            self._answered(message.arguments, now_ns)
        elif len(message.arguments) == 1 and message.arguments[0] is not None:
            self.told_ns = now_ns
            self.values[message.address] = message.arguments[0]
            self.history.hear(message.address, message.arguments[0])

    def sent(self, address: str, arguments: tuple[Value, ...], now_ns: int) -> None:
        """A command of the operator left. The same address at once again is one line of the log."""
        last = self.log[-1] if self.log else None
        if last is not None and last.address == address and now_ns - last.at_ns < NS_PER_S:
            self.log[-1] = replace(
                last, at_ns=now_ns, arguments=arguments, outcome="waiting", times=last.times + 1
            )
            return
        self.log.append(LogLine(now_ns, address, arguments))

    def refused(self, address: str, arguments: tuple[Value, ...], why: str, now_ns: int) -> None:
        """A command was not even sent."""
        self.log.append(LogLine(now_ns, address, arguments, "error", why))

    def tend(self, now_ns: int) -> None:
        """Now and then: what has had no answer gets none, and the history goes on."""
        for place, line in enumerate(self.log):
            if line.outcome == "waiting" and now_ns - line.at_ns > ANSWER_NS:
                self.log[place] = replace(line, outcome="unanswered")
        if self.told_ns is not None:
            self.history.tend(self.values, now_ns, silent=self.is_silent(now_ns))

    def _answered(self, arguments: tuple[object, ...], now_ns: int) -> None:
        if len(arguments) != 3:
            return
        address, outcome, text = (str(argument) for argument in arguments)
        if address == "/status":
            self.status_line = text
        elif address.endswith("/calibration") and outcome == "ok":
            self.calibration[int(address.split("/")[2])] = fields_of(text)
        for place in range(len(self.log) - 1, -1, -1):
            line = self.log[place]
            if line.address == address and line.outcome != "error":
                self.log[place] = replace(
                    line, outcome="ok" if outcome == "ok" else "error", answer=text
                )
                return


def fields_of(text: str) -> dict[str, tuple[str, ...]]:
    """The values in an answer to `/screen/<n>/calibration`, as in "gamma 1.1; corner/1 0 0"."""
    fields = {}
    for part in text.split("; "):
        name, *values = part.split(" ")
        fields[name] = tuple(values)
    return fields


def corners_of(fields: Mapping[str, tuple[str, ...]]) -> tuple[tuple[float, float], ...] | None:
    """The four corners, top left first, clockwise; None while they are not known."""
    try:
        pairs = [fields[f"corner/{number}"] for number in range(1, 5)]
        return tuple((float(x), float(y)) for x, y in pairs)
    except (KeyError, ValueError):
        return None
