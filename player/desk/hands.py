"""What one tab may ask of the player: buttons and keys come here, and nothing else is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from player.desk import words
from player.desk.desk import Desk
from player.osc.rows import Value

SURE_NS = 4_000_000_000  # within which a blackout is confirmed


@dataclass(eq=False)
class Hands:
    """scope: the screen (from 1) that ballads are chosen for; None: all of them. say: shows a
    sentence in this tab for a moment."""

    desk: Desk
    say: Callable[[str], None] = lambda sentence: None
    scope: int | None = None
    calibrating: int | None = None
    keys_shown: bool = False
    _asked_black_ns: int | None = field(default=None, init=False)

    def send(self, address: str, *arguments: Value) -> None:
        if not self.desk.send(address, *arguments):
            self.say(words.COMMAND_REFUSED)

    def choose_screen(self, number: int | None) -> None:
        """Another click on the same screen means all of them again."""
        self.scope = None if number == self.scope else number

    def ballad(self, number: int) -> None:
        """By its number from 1, for what is chosen."""
        if 1 <= number <= len(self.desk.show.ballads):
            where = "" if self.scope is None else f"/screen/{self.scope}"
            self.send(f"{where}/ballad", number)

    def painting(self, number: int, seconds: float) -> None:
        """To a painting (from 1) that is reached after so many seconds."""
        if self.scope is None:
            self.send("/line", number)
        else:
            self.send(f"/screen/{self.scope}/seek", seconds)

    def play_or_pause(self) -> None:
        playing = self.desk.sight().state.number("/status/playing", 1)
        self.send("/pause" if playing else "/play")

    def hold_or_release(self) -> None:
        self.send("/hold", 0 if self.desk.sight().state.number("/hold") else 1)

    @property
    def is_asked_black(self) -> bool:
        """Whether a blackout waits to be confirmed."""
        asked_ns = self._asked_black_ns
        return asked_ns is not None and self.desk.clock.now_ns() - asked_ns < SURE_NS

    def black(self) -> None:
        """Light at once; black only when it is asked for twice."""
        if self.desk.sight().state.number("/blackout"):
            self._asked_black_ns = None
            self.send("/blackout", 0)
        elif self.is_asked_black:
            self._asked_black_ns = None
            self.send("/blackout", 1, 1.0)
        else:
            self._asked_black_ns = self.desk.clock.now_ns()

    def corner(self, number: int, x: float, y: float) -> None:
        """Of the screen that is calibrated: 1 top left, then clockwise."""
        if self.calibrating is not None and 1 <= number <= 4:
            place = (min(max(value, -0.5), 1.5) for value in (x, y))
            self.send(f"/screen/{self.calibrating}/corner/{number}", *place)

    def press(self, key: str) -> None:
        """A key of the keyboard, by the name that a browser gives it."""
        simple: dict[str, Callable[[], None]] = {
            " ": self.play_or_pause,
            "b": self.black,
            "h": self.hold_or_release,
            "g": lambda: self.send("/go"),
            "a": lambda: self.choose_screen(None),
            "ArrowRight": lambda: self.send("/line/next"),
            "ArrowDown": lambda: self.send("/line/next"),
            "ArrowLeft": lambda: self.send("/line/previous"),
            "ArrowUp": lambda: self.send("/line/previous"),
        }
        if key == "?":
            self.keys_shown = not self.keys_shown
        elif key == "Escape":
            self.keys_shown, self.calibrating = False, None
        elif len(key) == 1 and key in "123456789":
            self.ballad(int(key))
        elif key in simple:
            simple[key]()
