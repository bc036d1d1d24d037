"""The transport as text and back: what a leader tells the others. Raises for what is not one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationError

from player.commands import SourceName
from player.levels import Level, LevelName
from player.transport import BLACKOUT_TICKS, Transport
from shows.hold import Hold
from shows.schema import StrictModel
from shows.show import Show
from shows.timeline import MAX_CUES, Cue

Count = Annotated[int, Field(ge=-(2**62), lt=2**62)]
Frames = Annotated[int, Field(ge=0, lt=2**31)]
_Name = Annotated[str, Field(max_length=64)]
_Hold = tuple[Count, Frames, Frames, Count | None]
_Cue = tuple[_Name, Count, Frames, Frames] | tuple[_Name, Count, Frames, Frames, _Hold]
_Value = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
_Level = tuple[LevelName, _Value, _Value, Count]


class TransportTextError(ValueError):
    """The text is no transport of this show; the text says why."""


class _Text(StrictModel):
    """Short names: the text must fit into a datagram with eight cues on every screen."""

    anchor: tuple[Count, Count]
    rate: Annotated[int, Field(ge=0, le=1)]
    cues: tuple[Annotated[tuple[_Cue, ...], Field(min_length=1, max_length=MAX_CUES)], ...]
    blackout: tuple[bool, Count]
    identified: tuple[Annotated[int, Field(ge=0, lt=64)], ...] = ()
    card: bool = False
    fade: Annotated[int, Field(gt=0, lt=2**31)] = BLACKOUT_TICKS
    source: SourceName = "auto"
    levels: Annotated[tuple[_Level, ...], Field(max_length=4)] = ()


def transport_text(t: Transport) -> str:
    """JSON of one line; the same transport is always the same text."""
    text = _Text(
        anchor=(t.anchor_tick, t.anchor_frame),
        rate=t.rate,
        cues=tuple(tuple(_cue_text(cue) for cue in screen) for screen in t.cues),
        blackout=(t.blackout, t.blackout_tick),
        identified=tuple(sorted(t.identified)),
        card=t.card,
        fade=t.blackout_ticks,
        source=t.source,
        levels=tuple((level.name, level.value, level.before, level.start) for level in t.levels),
    )
    return text.model_dump_json(exclude_defaults=True)


def _cue_text(cue: Cue) -> _Cue:
    words = (cue.ballad_id, cue.start_frame, cue.morph_frames, cue.offset_frames)
    hold = cue.hold
    if hold is None:
        return words
    return (*words, (hold.start_frame, hold.painting_frame, hold.loop_frames, hold.end_frame))


def _cue_of(words: _Cue) -> Cue:
    return Cue(*words[:4], hold=Hold(*words[4]) if len(words) == 5 else None)


def transport_of(text: str, show: Show) -> Transport:
    """Inverse of `transport_text`. Raises TransportTextError for anything else, such as a ballad
    or a number of screens that the show does not have."""
    try:
        read = _Text.model_validate_json(text)
    except ValidationError as fault:
        raise TransportTextError(f"no transport: {fault.errors()[0]['msg']}") from fault
    if len(read.cues) != len(show.settings.screens):
        raise TransportTextError(
            f"a transport of {len(read.cues)} screens; the show has {len(show.settings.screens)}"
        )
    unknown = {cue[0] for screen in read.cues for cue in screen} - set(show.ballad_ids)
    if unknown:
        raise TransportTextError(f"a transport with the unknown ballad {min(unknown)!r}")
    return Transport(
        anchor_tick=read.anchor[0],
        anchor_frame=read.anchor[1],
        rate=1 if read.rate else 0,
        cues=tuple(tuple(_cue_of(cue) for cue in screen) for screen in read.cues),
        blackout=read.blackout[0],
        blackout_tick=read.blackout[1],
        identified=frozenset(read.identified),
        card=read.card,
        blackout_ticks=read.fade,
        source=read.source,
        levels=tuple(Level(*words) for words in read.levels),
    )
