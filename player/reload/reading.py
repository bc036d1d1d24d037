"""Reads a show anew beside the one that plays: all that takes time, in a thread of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from player.films.library import FilmCheck
from player.opening import checked_films, generator_info, loaded_show
from player.options import Options
from player.reload.changes import ShowChanges, changes_between
from player.slate_source import SlateSource
from shows.fingerprint import show_fingerprint
from shows.generator_file import GeneratorInfo
from shows.kept_files import KeptFiles
from shows.show import Show

# A thread that waits for the interpreter's lock asks for it after this time, instead of 5 ms: the
# frame loop takes it some 20 times a frame.
SWITCH_S = 0.0005

Told = tuple[object, ...]


@dataclass(frozen=True)
class Playing:
    """What a show is played with, as far as its files decide it. told: the socket addresses of its
    `osc.send_to`."""

    show: Show
    info: GeneratorInfo | None
    slates: SlateSource
    films: FilmCheck
    fingerprint: str
    told: Told = ()


@dataclass(frozen=True)
class Reading:
    """A show as its files are now, and what differs from the one that plays."""

    now: Playing
    changes: ShowChanges


def read_anew(
    playing: Playing, options: Options, kept: KeptFiles, told_of: Callable[[Show], Told]
) -> Reading:
    """Reads the files of the show. What `changes` refuses is not read further.

    kept: of what was read before, so that only what changed costs time. told_of: its `osc.send_to`
    as socket addresses, which may ask the network for a name. Raises ShowError.
    """
    with _quick_switches():
        show = loaded_show(options, kept)
        kept.forget_others()
        info = generator_info(show, options)
        changes = changes_between(playing.show, show, playing.info, info)
        if changes.refused:
            return Reading(playing, changes)
        slates = playing.slates.followed_by(show)
        slates.start()
        now = Playing(
            show, info, slates, checked_films(show, options), show_fingerprint(show), told_of(show)
        )
        return Reading(now, changes)


@contextmanager
def _quick_switches() -> Iterator[None]:
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)
