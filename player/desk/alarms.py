"""What somebody should look at, in plain words and with what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from player.desk import words
from player.desk.state import DeskState
from player.desk.words import Trouble
from player.heat import HOT_C, WARM_C

SLOW = 0.9  # of the frames a second that the show wants
MANY_LATE = 20  # in a minute
DARK = 0.3


def troubles(
    state: DeskState, *, player: str, fps: float, knows_show: bool, has_pictures: bool, now_ns: int
) -> list[Trouble]:
    """The worst first. player: its address, for the sentence. fps: of the show file."""
    if state.is_silent(now_ns):
        return [said(words.NO_PLAYER, player=player)]
    order = ("red", "amber", "note")
    found = list(_found(state, fps, knows_show=knows_show, has_pictures=has_pictures))
    return sorted(found, key=lambda trouble: order.index(trouble.level))


def screen_is_wrong(state: DeskState, number: int, now_ns: int) -> bool:
    """Whether a screen (from 1) shows something that nobody asked for."""
    source = state.text(f"/screen/{number}/source")
    return state.is_silent(now_ns) or (source == "slate" and state.text("/source") == "auto")


def said(trouble: Trouble, **values: object) -> Trouble:
    return trouble._replace(what=trouble.what.format(**values))


def _found(
    state: DeskState, fps: float, *, knows_show: bool, has_pictures: bool
) -> Iterator[Trouble]:
    if not knows_show:
        yield words.OTHER_SHOW
    if alarm := state.text("/status/alarm"):
        kind = words.STILLS if "stills" in alarm else words.ENGINE_FAILED
        yield said(kind, said=alarm)
    playing = bool(state.number("/status/playing", 1))
    shown = state.number("/status/fps", fps)
    if playing and 0 < shown < SLOW * fps:
        yield said(words.SLOW, fps=shown, wanted=fps)
    hottest = state.number("/status/temperature", -1)
    if hottest >= WARM_C:
        yield said(words.IS_HOT if hottest >= HOT_C else words.IS_WARM, degrees=round(hottest))
    if (count := state.history.lost_in_last_minute()) >= MANY_LATE:
        yield said(words.MANY_LATE, count=count)
    if state.number("/blackout"):
        yield words.IS_BLACK
    if (light := state.number("/brightness", 1)) < DARK:
        yield said(words.IS_DARK, percent=round(100 * light))
    if state.text("/card") == "calibration":
        yield words.HAS_CARD
    if not playing:
        yield words.IS_STANDBY if state.text("/source") == "slate" else words.IS_PAUSED
    if state.number("/hold"):
        yield words.IS_HELD
    if not has_pictures:
        yield words.NO_PICTURES
