"""What of a running show outlives its player: a value, its text, and what it means later. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import Field, ValidationError

from player.transport import Transport, frame_at
from player.transport_text import TransportTextError, transport_of
from shows.schema import StrictModel
from shows.show import Show
from shows.timebase import ns_to_frame

LONGEST_GAP_NS = 24 * 3600 * 1_000_000_000
MAX_STATE_BYTES = 65_536  # 64 screens with eight cues each have some 40 kB

_Ns = Annotated[int, Field(ge=-(2**63), lt=2**63)]
_Short = Annotated[str, Field(max_length=64)]


class StateError(ValueError):
    """The saved state is of no use here; the text is a clause that says why."""


@dataclass(frozen=True)
class SavedState:
    """show: its fingerprint. transport: as `transport_text` has it. tick: the one played when it
    was kept. tick_ns: HouseClock's time of tick 0. boot: `boot_id()`. wall_ns, saved_monotonic_ns:
    UTC and HouseClock's time, read together when it was saved."""

    show: str
    transport: str
    tick: int
    tick_ns: int
    boot: str
    wall_ns: int
    saved_monotonic_ns: int
    fps: Fraction


class _Text(StrictModel):
    schema_version: Annotated[int, Field(ge=1, le=1)]
    show: _Short
    transport: Annotated[str, Field(max_length=MAX_STATE_BYTES)]
    tick: _Ns
    tick_ns: _Ns
    boot: _Short
    wall_ns: _Ns
    saved_monotonic_ns: _Ns
    fps: tuple[Annotated[int, Field(gt=0, lt=2**31)], Annotated[int, Field(gt=0, lt=2**31)]]


def state_text(saved: SavedState) -> bytes:
    """JSON in UTF-8."""
    words = {**vars(saved), "fps": (saved.fps.numerator, saved.fps.denominator)}
    return _Text(schema_version=1, **words).model_dump_json(indent=1).encode() + b"\n"


def state_of(text: bytes) -> SavedState:
    """Inverse of `state_text`. Raises StateError for anything else."""
    if len(text) > MAX_STATE_BYTES:
        raise StateError(f"it is larger than {MAX_STATE_BYTES} bytes")
    try:
        read = _Text.model_validate_json(text)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part)[:40] for part in first["loc"]) or "the file"
        raise StateError(f"{where}: {first['msg'][:200]}") from fault
    words = {name: value for name, value in vars(read).items() if name != "schema_version"}
    return SavedState(**{**words, "fps": Fraction(*read.fps)})


@dataclass(frozen=True)
class Resumed:
    """How the show goes on. origin_ns: HouseClock's time of tick 0. sentence: for the log.
    saved_wall_ns: by the wall clock, when it was saved."""

    transport: Transport
    origin_ns: int
    sentence: str
    saved_wall_ns: int = 0


def resumed_state(
    saved: SavedState, show: Show, fingerprint: str, *, now_ns: int, wall_ns: int, boot: str
) -> Resumed:
    """The show as if it had run on since it was saved. Raises StateError if it cannot.

    In the same boot the house clock ran on, and the frames are those of before, to the tick. After
    another start of the machine the wall clock says how long it was off.
    """
    if saved.show != fingerprint:
        raise StateError("it is of another show, or of this one before it was changed")
    if saved.fps != show.settings.fps:
        raise StateError(f"it is of a show of {saved.fps} frames a second")
    try:
        transport = transport_of(saved.transport, show)
    except TransportTextError as fault:
        raise StateError(str(fault)) from fault
    origin_ns, gap_ns = resumed_origin_ns(saved, now_ns=now_ns, wall_ns=wall_ns, boot=boot)
    frame = frame_at(transport, ns_to_frame(now_ns - origin_ns, saved.fps))
    clock = "house" if origin_ns == saved.tick_ns else "wall"
    return Resumed(
        transport,
        origin_ns,
        f"The show goes on at frame {frame}: its state was kept {gap_ns / 1e9:.1f} s ago by the "
        f"{clock} clock.",
        saved.wall_ns,
    )


def resumed_origin_ns(
    saved: SavedState, *, now_ns: int, wall_ns: int, boot: str
) -> tuple[int, int]:
    """HouseClock's time of tick 0, here and now, and the ns since the state was saved.

    Raises StateError for more than 24 h, or if the wall clock was set back meanwhile.
    """
    gap_ns = now_ns - saved.saved_monotonic_ns
    if boot and saved.boot == boot and gap_ns >= 0:
        origin_ns = saved.tick_ns
    else:
        gap_ns = wall_ns - saved.wall_ns
        if gap_ns < 0:
            raise StateError(
                f"it is of {-gap_ns / 1e9:.0f} s in the future: the wall clock was set back"
            )
        played_ns = saved.saved_monotonic_ns - saved.tick_ns + gap_ns
        origin_ns = now_ns - played_ns
    if gap_ns > LONGEST_GAP_NS:
        raise StateError(f"it is {gap_ns / 3.6e12:.0f} hours old, and 24 are allowed")
    return origin_ns, gap_ns
