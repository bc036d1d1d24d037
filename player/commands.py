"""What an operator can ask of the player: frozen values, made by parsing, applied by transport.

Screens are counted from 0 here; only the addresses an operator types count from 1.
"""

from dataclasses import dataclass
from typing import Literal

from player.levels import LevelName
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
class SetGroupBallad:
    """These screens morph to this ballad, in unison; the others go on."""

    screens: tuple[int, ...]
    ballad_id: str


@dataclass(frozen=True)
class NextBallad:
    """Every screen, or these, morphs to the ballad after its own in the show's order; the last
    wraps."""

    screens: tuple[int, ...] | None = None


@dataclass(frozen=True)
class PreviousBallad:
    """Every screen, or these, morphs to the ballad before its own in the show's order; the first
    wraps."""

    screens: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Unison:
    """All screens morph to the ballad and the place of the first."""


@dataclass(frozen=True)
class Canon:
    """All screens morph to the ballad of the first, each this many frames behind its left one."""

    offset_frames: int


@dataclass(frozen=True)
class Seek:
    """Every screen, or these, morphs to this frame of its own ballad, counted from its first
    painting; 0 begins it again."""

    ballad_frame: int
    screens: tuple[int, ...] | None = None


@dataclass(frozen=True)
class GoToLine:
    """Every screen morphs to this painting (from 0) of its own ballad."""

    line: int


@dataclass(frozen=True)
class StepLine:
    """Every screen morphs to the painting so many after the one it shows or is on the way to."""

    step: int


@dataclass(frozen=True)
class HoldLine:
    """Every screen stays on its painting, whose loop runs to the last stop and back; or goes on."""

    on: bool


@dataclass(frozen=True)
class SetLevel:
    """A value that goes there within a second: brightness, or a factor or value of the motion."""

    level: LevelName
    value: float


SourceName = Literal["auto", "live", "film", "slate"]


@dataclass(frozen=True)
class SetSource:
    """What the screens show: what is best (auto), live even if it is slow, films, or stills."""

    source: SourceName


@dataclass(frozen=True)
class Standby:
    """The paintings as stills, and the frame number stands: before the singer begins."""


@dataclass(frozen=True)
class Go:
    """The show fades up from the stills and runs."""


@dataclass(frozen=True)
class Safe:
    """A calm known state: playing, lit, no card, nothing held, everything as the show file has it.
    The ballads stay where they are."""


@dataclass(frozen=True)
class Play:
    """The frame number runs on from where it stands."""


@dataclass(frozen=True)
class Pause:
    """The frame number stands; the pictures stay."""


@dataclass(frozen=True)
class Blackout:
    """Fade all screens to black, or back; the show runs on behind it. fade_ticks: of a full one."""

    on: bool
    fade_ticks: int = 15


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


@dataclass(frozen=True)
class QueryValue:
    """Changes nothing; asks for the value of an OSC address, as the table has its path."""

    path: str
    screen: int | None = None


@dataclass(frozen=True)
class Subscribe:
    """What changes is sent to the sender for so long; 0: no more."""

    seconds: float


@dataclass(frozen=True)
class Snapshot:
    """What each screen of this machine shows is kept as a picture."""


@dataclass(frozen=True)
class Reload:
    """The show is read anew from its files, and played from the next frame on."""


TransportCommand = (
    SetBallad
    | SetScreenBallad
    | EachOwn
    | SetGroupBallad
    | NextBallad
    | PreviousBallad
    | Unison
    | Canon
    | Seek
    | GoToLine
    | StepLine
    | HoldLine
    | SetLevel
    | SetSource
    | Standby
    | Go
    | Safe
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

DeskCommand = QueryValue | Subscribe | Snapshot | Reload
"""What `operator_desk.OperatorDesk` does itself."""

Command = TransportCommand | CalibrationCommand | DeskCommand
