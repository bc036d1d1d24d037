"""All that plays a show, and what each part is told when the show was read anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from player.caretaker import Caretaker
from player.composer import Composer
from player.conductor import LocalConductor
from player.films.film_source import FilmSource
from player.films.library import Film
from player.live.synthesized_source import SynthesizedSource
from player.missing_films import MissingFilms
from player.opening import engine_arguments
from player.operator_desk import OperatorDesk
from player.options import Options
from player.osc.control import OscControl
from player.osc.rows import Names
from player.projectors import ProjectorDesk
from player.reload.desk import ReloadDesk
from player.reload.files import FilesWatch
from player.reload.morph import Editions
from player.reload.reading import Playing, Reading, Told, read_anew
from player.schedule_desk import ScheduleDesk
from player.sources import Sources
from player.transport import frame_at
from player.wall.contract import Wall
from player.wall.look import look_of
from shows.kept_files import KeptFiles
from shows.show import Show, groups_of
from shows.show_file import resolve_ballad
from shows.timeline import Cues

ON_ONE_OF_SEVERAL = (
    "this machine is one of several that show the same, and a show read anew here would not be "
    "theirs: put the new files on all of them, then restart all players"
)


@dataclass
class ShowParts:
    """The parts of a player that plays alone. films, live, making: None where there are none."""

    options: Options
    editions: Editions
    conductor: LocalConductor
    sources: Sources
    composer: Composer
    wall: Wall
    desk: OperatorDesk
    control: OscControl
    schedule: ScheduleDesk
    projectors: ProjectorDesk
    caretaker: Caretaker
    films: FilmSource | None = None
    live: SynthesizedSource | None = None
    making: MissingFilms | None = None

    def has_room(self, tick: int) -> bool:
        """Whether one more show can be morphed to on this tick."""
        return not self.editions.is_full(frame_at(self.conductor.transport_at(tick), tick))

    def take_over(self, reading: Reading, tick: int) -> None:
        """Play what was read, from this tick on, whose frame is still as before."""
        before, now = self.editions.show, reading.now
        show, engine = now.show, reading.changes.engine
        transport = self.conductor.transport_at(tick)
        cues, frame = transport.cues, frame_at(transport, tick)
        self.conductor.take_over(show, tick)
        carried = self.conductor.transport_at(tick).cues
        # no picture will show latents of one generator beside those of another
        self.editions = self.editions.followed_by(show, cues, carried, frame, cut=engine)
        self.sources.take_over(self.editions)
        self.composer.take_over(self.editions, now.slates)
        if self.films is not None:
            self.films.adopt({**self._films_underneath(cues, show), **now.films.films})
        if self.live is not None and engine:
            screens = len(show.settings.screens)
            self.live.renew(engine_arguments(show, self.options, screens))
        if self.making is not None:
            self.making.take_over(show)
        self._take_looks(before, show)
        self.control.take_names(names_of(show))
        self.desk.always_tell(now.told)
        self.schedule.take_over(show)
        self.projectors.take_over(show)
        self.caretaker.take_over(show, now.fingerprint)

    def _films_underneath(self, cues: Cues, show: Show) -> dict[str, Film]:
        """Of ballads that are gone from the show, and play on until the morph is through."""
        assert self.films is not None
        playing = {cue.ballad_id for screen_cues in cues for cue in screen_cues}
        gone = playing.difference(show.ballad_ids)
        return {name: film for name, film in self.films.films.items() if name in gone}

    def _take_looks(self, before: Show, show: Show) -> None:
        if self.options.plain:
            return
        software = self.wall.is_software
        for screen in range(len(show.settings.screens)):
            look = look_of(show.settings, screen, software=software)
            if look != look_of(before.settings, screen, software=software):
                self.wall.set_look(screen, look)


def obey_reloads(
    parts: ShowParts, playing: Playing, kept: KeptFiles, told_of: Callable[[Show], Told]
) -> Callable[[], None]:
    """From now on the player reads its show anew when that is asked for, and with `--watch` when
    its files change. kept, told_of: see `read_anew`. Returns what ends it."""
    reloads = ReloadDesk(
        playing,
        read=partial(read_anew, options=parts.options, kept=kept, told_of=told_of),
        take_over=parts.take_over,
        has_room=parts.has_room,
        event=parts.caretaker.event,
    )
    parts.desk.obeys_reload(reloads)
    if not parts.options.watch:
        return lambda: None
    watch = FilesWatch(playing.show.folder, reloads.files_changed)
    watch.start()
    return watch.close


def names_of(show: Show) -> Names:
    """What the arguments of commands are judged by."""
    settings = show.settings
    return Names(
        partial(resolve_ballad, show), len(settings.screens), groups_of(show), settings.fps
    )
