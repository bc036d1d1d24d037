"""What an operator can ask of the player: frozen values, made by parsing, applied by transport.

Screens are counted from 0 here; only the addresses an operator types count from 1.
"""

from dataclasses import dataclass


class CommandError(Exception):
    """A command that cannot be understood or obeyed; the text is a sentence for the operator."""


@dataclass(frozen=True)
class SetBallad:
    """All screens morph to this ballad, in unison."""

    ballad_id: str


@dataclass(frozen=True)
class SetScreenBallad:
    """One screen (counted from 0) morphs to this ballad; the others go on."""

    screen: int
    ballad_id: str


@dataclass(frozen=True)
class EachOwn:
    """Every screen morphs back to the ballad the show file gives it."""


@dataclass(frozen=True)
class NextBallad:
    """Every screen morphs to the ballad after its own in the show's order; the last wraps."""


@dataclass(frozen=True)
class PreviousBallad:
    """Every screen morphs to the ballad before its own in the show's order; the first wraps."""


@dataclass(frozen=True)
class Play:
    """The frame number runs on from where it stands."""


@dataclass(frozen=True)
class Pause:
    """The frame number stands; the pictures stay."""


@dataclass(frozen=True)
class Blackout:
    """Fade all screens to black, or back; the show runs on behind it."""

    on: bool


@dataclass(frozen=True)
class QueryStatus:
    """Changes nothing; asks for one line saying what is on."""


Command = (
    SetBallad
    | SetScreenBallad
    | EachOwn
    | NextBallad
    | PreviousBallad
    | Play
    | Pause
    | Blackout
    | QueryStatus
)
