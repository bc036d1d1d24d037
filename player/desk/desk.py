"""What all tabs of the desk share: the show, the line to the player, the pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from player.clock import Clock
from player.desk import words
from player.desk.alarms import troubles
from player.desk.pictures import Paintings, ScreenPictures, Seen
from player.desk.player_line import PlayerLine
from player.desk.state import DeskState
from player.desk.words import Trouble
from player.osc.rows import Value
from shows.schema import Ballad
from shows.show import Show


@dataclass(frozen=True)
class Sight:
    """All that a tab shows at one instant."""

    state: DeskState
    now_ns: int
    silent: bool
    pictures: dict[int, Seen]
    troubles: list[Trouble]


@dataclass(eq=False)
class Desk:
    """read_only: nothing is sent to the player, whatever a browser asks for."""

    show: Show
    line: PlayerLine
    screens: ScreenPictures
    paintings: Paintings
    clock: Clock
    read_only: bool = False
    _sight: Sight | None = field(default=None, init=False)

    def sight(self) -> Sight:
        """The same for all tabs within a few hundredths of a second."""
        now_ns = self.clock.now_ns()
        if self._sight is None or now_ns - self._sight.now_ns > 40_000_000:
            with self.line.lock:
                state = self.line.state.copy()
            pictures = self.screens.look()
            host, port = self.line.address
            found = troubles(
                state,
                player=f"{host}:{port}",
                fps=float(self.show.settings.fps),
                knows_show=self._knows(state),
                has_pictures=bool(pictures),
                now_ns=now_ns,
            )
            self._sight = Sight(state, now_ns, state.is_silent(now_ns), pictures, found)
        return self._sight

    def send(self, address: str, *arguments: Value) -> bool:
        """A command to the player, unless this desk is only to look at."""
        if self.read_only:
            with self.line.lock:
                now_ns = self.clock.now_ns()
                self.line.state.refused(address, arguments, words.COMMAND_REFUSED, now_ns)
            return False
        if address in ("/safe", "/panic", "/identify"):
            with self.line.lock:
                self.line.state.identified = address == "/identify" and bool(arguments[0])
        self.line.send(address, *arguments)
        return True

    def ballad_of(self, state: DeskState, number: int) -> Ballad | None:
        """The ballad of a screen (from 1); None while it is not known."""
        ballad_id = state.text(f"/screen/{number}/ballad")
        return next((ballad for ballad in self.show.ballads if ballad.id == ballad_id), None)

    def _knows(self, state: DeskState) -> bool:
        told = {value for name, value in state.values.items() if name.endswith("/ballad")} - {
            "mixed"
        }
        return told <= set(self.show.ballad_ids)
