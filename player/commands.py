"""What an operator can ask of the player: frozen values, made by parsing, applied by transport.

Screens are counted from 0 here; only the addresses an operator types count from 1.
"""

from dataclasses import dataclass

from player.wall.calibration import CalibrationField, Value


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


@dataclass(frozen=True)
class SetCalibration:
    """One field of a screen's calibration; the number, kind and range of values are not judged."""

    screen: int
    field: CalibrationField
    values: tuple[Value, ...]


@dataclass(frozen=True)
class QueryCalibration:
    """Changes nothing; asks for a field of a screen's calibration, or None for all of them."""

    screen: int
    field: CalibrationField | None


@dataclass(frozen=True)
class ResetCalibration:
    """A screen is shown as if it had never been calibrated; this too can be undone."""

    screen: int


@dataclass(frozen=True)
class UndoCalibration:
    """The last change of any screen's calibration is taken back."""


@dataclass(frozen=True)
class RedoCalibration:
    """What was taken back last is done again."""


@dataclass(frozen=True)
class SaveCalibration:
    """All screens' calibrations are written to their file."""


@dataclass(frozen=True)
class Identify:
    """Show the identify card, or take it away, on these screens or (None) on all."""

    screens: tuple[int, ...] | None
    on: bool


@dataclass(frozen=True)
class ShowCard:
    """Show the calibration card on all screens instead of the pictures, or go back to them."""

    on: bool


TransportCommand = (
    SetBallad
    | SetScreenBallad
    | EachOwn
    | NextBallad
    | PreviousBallad
    | Play
    | Pause
    | Blackout
    | Identify
    | ShowCard
    | QueryStatus
)
"""What `transport.apply_command` obeys."""

CalibrationCommand = (
    SetCalibration
    | QueryCalibration
    | ResetCalibration
    | UndoCalibration
    | RedoCalibration
    | SaveCalibration
)
"""What `calibration_desk.CalibrationDesk.obey` obeys."""

Command = TransportCommand | CalibrationCommand
