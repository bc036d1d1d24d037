"""What stands on a controller: pages of keys, faders and readouts, from the show and the table of
addresses. Pure; each controller's own module writes it in that controller's format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from player.osc.rows import Argument, Value
from player.osc.table import BY_PATH
from shows.show import Show

# for ballads whose folder names no colour, and for what is no ballad
BALLAD_COLOURS = ("#8a3b2e", "#2f6f8f", "#4d7a3a", "#7a4f8f", "#a0742a", "#3a7a74", "#8f3a63")
CALM, GOING, LIGHT, DANGER = "#4a5568", "#2f7d4f", "#b0892f", "#a32d2d"


@dataclass(frozen=True)
class Message:
    """One OSC message."""

    address: str
    args: tuple[Value, ...] = ()

    def text(self) -> str:
        """As it is typed, texts in quotes where they have blanks."""
        return " ".join([self.address, *(_typed(arg) for arg in self.args)])


@dataclass(frozen=True)
class Key:
    """A key that sends one message. lit_by: address and value of the feedback that lights it.

    ballad: its id, where the key stands for one.
    """

    label: str
    message: Message
    colour: str = CALM
    lit_by: tuple[str, Value] | None = None
    ballad: str = ""


@dataclass(frozen=True)
class Switch:
    """A key that stays down: 1 and 0. is_told: whether the player sends its value to those who
    subscribed."""

    label: str
    address: str
    colour: str = CALM
    is_told: bool = True


@dataclass(frozen=True)
class Fader:
    """One number, within the table's range. All are 1 as the show file has them."""

    label: str
    address: str
    low: float
    high: float
    colour: str = LIGHT
    is_told: bool = True


@dataclass(frozen=True)
class Readout:
    """A value that the player tells, in words."""

    label: str
    address: str


Control = Key | Switch | Fader | Readout


@dataclass(frozen=True)
class Section:
    """Controls that belong together, in rows of `columns`. share: of the page's height."""

    title: str
    controls: tuple[Control, ...]
    columns: int
    share: float = 1.0


@dataclass(frozen=True)
class Page:
    """One page of a controller."""

    name: str
    sections: tuple[Section, ...]

    def controls(self) -> Iterator[Control]:
        """All of them, in reading order."""
        for section in self.sections:
            yield from section.controls


def pages(show: Show) -> tuple[Page, Page]:
    """The operator's page and the technician's."""
    return _operator(show), _technician(show)


def ballad_keys(show: Show) -> tuple[Key, ...]:
    """One for each ballad, numbered as the show counts them."""
    return tuple(
        Key(
            f"{number} {ballad.title}",
            Message("/ballad", (ballad.id,)),
            ballad.colour or BALLAD_COLOURS[(number - 1) % len(BALLAD_COLOURS)],
            ("/ballad", ballad.id),
            ballad.id,
        )
        for number, ballad in enumerate(show.ballads, 1)
    )


def choice(address: str, words: dict[str, str], colour: str = CALM) -> tuple[Key, ...]:
    """Keys for the words of an address, each lit while its word is told. words: label by word."""
    return tuple(
        Key(label, Message(address, (word,)), colour, (address, word))
        for word, label in words.items()
    )


def fader(label: str, path: str, address: str = "", *, is_told: bool = True) -> Fader:
    """path: as the table has it; address: what it is for one screen. Raises KeyError."""
    argument: Argument = BY_PATH[path].arguments[0]
    if argument.low is None or argument.high is None:
        raise KeyError(f"{path} has no range")
    return Fader(label, address or path, argument.low, argument.high, is_told=is_told)


def _operator(show: Show) -> Page:
    ballads = ballad_keys(show)
    return Page(
        "Operator",
        (
            Section("Ballads", ballads, min(len(ballads), 4), 2.4),
            Section(
                "Arrangement",
                choice(
                    "/arrangement",
                    {"each": "Each its own", "unison": "Unison", "canon": "Canon"},
                ),
                3,
            ),
            Section(
                "Lines and a live voice",
                (
                    Key("Line back", Message("/line/previous")),
                    Key("Next line", Message("/line/next"), GOING),
                    Switch("Hold", "/hold", colour=LIGHT),
                    Key("Stand by", Message("/standby")),
                    Key("Go", Message("/go"), GOING),
                ),
                5,
                1.3,
            ),
            Section(
                "Light",
                (
                    fader("Brightness", "/brightness"),
                    Switch("Blackout", "/blackout", colour=DANGER),
                    Key("Safe", Message("/safe"), DANGER),
                ),
                3,
                1.3,
            ),
            Section(
                "What is on",
                (
                    Readout("Ballad", "/ballad"),
                    Readout("Source", "/status/source"),
                    Readout("Frames a second", "/status/fps"),
                    Readout("Line on screen 1", "/screen/1/line/text"),
                    Readout("Alarm", "/status/alarm"),
                ),
                5,
                0.9,
            ),
        ),
    )


def _technician(show: Show) -> Page:
    screens = len(show.settings.screens)
    return Page(
        "Technician",
        (
            Section(
                "Cards and keeping",
                (
                    Switch("Identify all", "/identify", is_told=False),
                    *choice("/card", {"calibration": "Card", "none": "No card"}),
                    Key("Snapshot", Message("/snapshot")),
                    Key("Undo", Message("/calibration/undo")),
                    Key("Redo", Message("/calibration/redo")),
                    Key("Save", Message("/save"), GOING),
                ),
                7,
                1.2,
            ),
            Section(
                "Source and time",
                (
                    *choice("/source", {"auto": "Auto", "live": "Live", "film": "Film"}),
                    Key("Pause", Message("/pause"), lit_by=("/status/playing", 0)),
                    Key("Play", Message("/play"), GOING, ("/status/playing", 1)),
                    Key("Restart", Message("/restart")),
                ),
                6,
                1.2,
            ),
            Section(
                "Feeling",
                (
                    fader("Loop strength", "/loop/strength"),
                    fader("Truncation", "/truncation"),
                    *choice("/path", {"linear": "Path linear", "smooth": "Path smooth"}),
                ),
                4,
                1.2,
            ),
            *(_screen(number) for number in range(1, screens + 1)),
            Section(
                "State",
                (
                    Readout("Engine", "/status/engine"),
                    Readout("Quality", "/status/quality"),
                    Readout("Late", "/status/late"),
                    Readout("Dropped", "/status/dropped"),
                    Readout("Frame", "/status/frame"),
                ),
                5,
                0.9,
            ),
        ),
    )


def _screen(number: int) -> Section:
    here = f"/screen/{number}"
    light = "/screen/{screen}/brightness"
    return Section(
        f"Screen {number}",
        (
            Switch(f"{number} identify", f"{here}/identify", is_told=False),
            Key(f"{number} back", Message(f"{here}/ballad/previous")),
            Key(f"{number} next", Message(f"{here}/ballad/next"), GOING),
            fader(f"{number} light", light, f"{here}/brightness", is_told=False),
            Readout(f"{number} title", f"{here}/title"),
            Readout(f"{number} line", f"{here}/line"),
            Readout(f"{number} source", f"{here}/source"),
        ),
        7,
        0.9,
    )


def _typed(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value}"' if " " in value else value
    return f"{value:g}" if isinstance(value, float) else str(int(value))
