"""The show's files as they are now, in the window of a preview a moment after they are saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from player.composer import Composer
from player.films.library import FilmCheck
from player.live.synthesized_source import SynthesizedSource
from player.making.preview_desk import PreviewConductor
from player.opening import engine_arguments
from player.options import Options
from player.picture_book.stage import with_settings
from player.reload.changes import changes_between
from player.reload.morph import Editions
from player.reload.reading import Playing, Reading
from player.slate_source import SlateSource
from player.sources import Sources
from player.wall.look import look_of
from player.wall.preview_wall import PreviewWall
from shows.generator_file import GeneratorInfo, read_generator_info
from shows.schema import OscOut, Sync
from shows.show import Show
from shows.show_file import load_show


def on_one_screen(show: Show, ballad_id: str) -> Show:
    """The show as one screen of it shows this ballad, from its first painting on.

    The screen is one that has the ballad in the show, else the first: its fit and its surround.
    Raises ShowError for a ballad that is not there.
    """
    ballad, screens = show.ballad(ballad_id), show.settings.screens
    screen = next((one for one in screens if one.ballad == ballad.id), screens[0])
    alone = screen.model_copy(update={"ballad": ballad.id, "phase_frames": 0})
    nobody = {"groups": {}, "nodes": (), "sync": Sync(), "osc": OscOut(), "notify": None}
    return with_settings(show, screens=(alone,), projectors=(), schedule=None, **nobody)


def playing_of(show: Show, info: GeneratorInfo, slates: SlateSource) -> Playing:
    """show: on one screen, without films and without anybody who is told."""
    return Playing(show, info, slates, FilmCheck({}, {}, ()), fingerprint="")


def read_again(playing: Playing, folder: Path, ballad_id: str) -> Reading:
    """What the files are now, and what of it can be taken over. Raises ShowError."""
    show = on_one_screen(load_show(folder), ballad_id)
    info = read_generator_info(show.generator_path)
    changes = changes_between(playing.show, show, playing.info, info)
    if changes.refused:
        return Reading(playing, changes)
    slates = playing.slates.followed_by(show)
    slates.start()
    return Reading(playing_of(show, info, slates), changes)


@dataclass(frozen=True)
class PreviewParts:
    """What plays in the window."""

    options: Options
    conductor: PreviewConductor
    sources: Sources
    composer: Composer
    wall: PreviewWall
    live: SynthesizedSource

    def take_over(self, reading: Reading, tick: int) -> None:
        """At once and without a morph: whoever has changed a file wants to see it, in a pause
        too."""
        show = reading.now.show
        self.conductor.take_over(show, tick)
        editions = Editions(show)
        self.sources.take_over(editions)
        self.composer.take_over(editions, reading.now.slates)
        self.wall.set_look(0, look_of(show.settings, 0, software=self.wall.is_software))
        if reading.changes.engine:
            self.live.renew(engine_arguments(show, self.options, 1))
