"""Wires the parts of the player together; the only file that knows them all."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from player.caretaker import Caretaker
from player.clock import wall_ns
from player.composer import Composer
from player.conductor import LocalConductor
from player.disk_writer import DiskWriter
from player.film_track import FilmTrack
from player.frame_loop import FrameLoop, Presented, Watcher
from player.frame_report import FrameReport, ReportError, write_report
from player.house import House, alone, joined
from player.live.synthesized_source import SynthesizedSource
from player.live_keys import LiveKeys
from player.made_folder import made_folder
from player.missing_films import MissingFilms
from player.morning_report import MorningReport
from player.opening import (
    checked_films,
    film_source,
    generator_info,
    live_source,
    loaded_show,
    resumed_state,
)
from player.opening_wall import calibration_desk, opened_wall
from player.operator_desk import OperatorDesk
from player.options import ApplicationError, Options
from player.osc.control import OscControl, OscError
from player.osc.udp_socket import address_of
from player.projectors import ProjectorDesk
from player.reload.desk import NoReloads
from player.reload.morph import Editions
from player.reload.parts import ON_ONE_OF_SEVERAL, ShowParts, names_of, obey_reloads
from player.reload.reading import Playing
from player.schedule_desk import ScheduleDesk
from player.slate_source import SlateSource
from player.snapshots import Snapshots, write_pictures
from player.sources import Sources
from player.stop_signals import stop_on_signals
from player.sync.settings import SyncError
from player.upkeep.temperature import Thermometer
from player.upkeep.wall_time import zone_of
from player.wall.machine_file import read_machine_file
from player.wall.outputs import OutputError, Wall, list_monitors, monitors_text
from player.wall.refresh import describe as describe_cadence
from player.wall.thumbnails import Thumbnails, ThumbnailsError, usual_path
from shows.fingerprint import show_fingerprint
from shows.kept_files import KeptFiles
from shows.schema import ShowError
from shows.show import Show

_log = logging.getLogger("player")

ENGINE_WAIT_NS = 20_000_000_000  # --mode auto begins with stills after this
SLATE_PX = 512


class _Closes(Protocol):
    def close(self) -> None: ...


_T = TypeVar("_T", bound=_Closes)


class _Closing(ExitStack):
    def keep(self, thing: _T) -> _T:
        """The same, closed at the end: the last one first."""
        self.callback(thing.close)
        return thing


def play(options: Options) -> None:
    """Play a show until it ends, is closed, or is told to stop (Ctrl-C, SIGTERM).

    Raises ApplicationError with a sentence for everything that keeps it from playing.
    """
    stopped = stop_on_signals()
    try:
        with _Closing() as closing:
            _play(options, stopped, closing)
    except (ShowError, OscError, OutputError, ReportError, SyncError) as fault:
        raise ApplicationError(str(fault)) from fault


def monitors() -> str:
    """This machine's monitors, a line each. Raises ApplicationError."""
    try:
        return monitors_text(list_monitors())
    except OutputError as fault:
        raise ApplicationError(str(fault)) from fault


def _play(options: Options, stopped: Callable[[], bool], closing: _Closing) -> None:
    if options.watch and options.node:
        raise ApplicationError(f"--watch does not go with --node: {ON_ONE_OF_SEVERAL}.")
    kept = KeptFiles()
    show = loaded_show(options, kept)
    for warning in show.warnings:
        _log.warning("%s", warning)
    info = generator_info(show, options)
    # first of all, because it takes longest: films open, the engine loads, while the windows open
    check = checked_films(show, options)
    before = resumed_state(show, options)
    house = joined(show, options.node) if options.node else alone(show, before)
    closing.callback(house.close)
    film = film_source(show, options, info, check, len(house.screens))
    if film is not None:
        closing.keep(film).start()
    live = live_source(show, options, info, len(house.screens)) if info is not None else None
    opens_with_film = film is not None and bool(check.films)
    if live is not None:
        closing.keep(live)
        if not opens_with_film:  # else it would take the time of the first picture
            live.start()
    names = [screen.name for screen in show.settings.screens]
    here = [names[screen] for screen in house.screens]
    machine = read_machine_file(options.machine, here) if options.machine else None
    control = closing.keep(
        OscControl(
            names=names_of(show),
            host=options.osc_host,
            port=options.osc_port,
            tcp=options.osc_tcp,
            allow=options.allow,
        )
    )
    control.start()
    if stopped():
        return
    wall = closing.keep(opened_wall(options, show, house.screens, machine, control.port))
    slates = closing.keep(SlateSource(show, SLATE_PX))
    opening = [(show.settings.screens[screen].ballad, 0) for screen in house.screens]
    slates.start([] if opens_with_film else opening)
    report = FrameReport(show.settings.fps)
    report.note("start_to_live_s", None)
    caretaker = closing.keep(
        Caretaker(show, options.mode, state=options.state, journal=options.journal)
    )
    side_px = info.img_resolution if info is not None else 0
    sources = Sources(
        house.screens,
        live=LiveKeys(show, house.screens, live, side_px, caretaker.event) if live else None,
        films=FilmTrack(show, house.screens, film) if film is not None else None,
        falls_back=options.falls_back,
        event=caretaker.event,
    )
    schedule = ScheduleDesk(
        show, wall_ns=wall_ns, resumed_wall_ns=before.saved_wall_ns if before else None
    )
    watchers: list[Watcher] = [caretaker.presented]
    making: MissingFilms | None = None
    if film is not None and options.make_films and check.missing and live is not None:
        making = closing.keep(MissingFilms(show, film, options.program, caretaker.event))
        making.start()
        watchers.append(partial(_tend, making))
        _log.info("Making %d films in the background, for when live cannot.", len(check.missing))
    if options.journal is not None:
        zone = zone_of(show.settings.schedule.timezone if show.settings.schedule else None)
        morning = MorningReport(show.folder, options.journal, options.program, zone, wall_ns)
        watchers.append(partial(_tend, closing.keep(morning)))
    if options.thumbnails is not None:
        thumbnails = _thumbnails(options.thumbnails, wall, control.port, house.screens, show)
        watchers += [] if thumbnails is None else [closing.keep(thumbnails).presented]
    projectors = closing.keep(ProjectorDesk(show, wall_ns=wall_ns, environment=os.environ))
    projectors.start()  # on every machine: each asks first how a projector is
    thermometer = closing.keep(Thermometer())
    thermometer.start()
    composer = Composer(show, wall, slates, house.screens, stamp=options.stamp)
    told = _always_told(show)
    desk = OperatorDesk(
        control,
        house.conductor,
        calibration_desk(names, machine, options.machine),
        wall,
        house.screens,
        disk=closing.keep(DiskWriter()),
        snapshots=Snapshots(made_folder(show.folder) / "work" / "snapshots", here),
        always_told=told,
    )
    if isinstance(house.conductor, LocalConductor):
        parts = ShowParts(
            options=options,
            editions=Editions(show),
            conductor=house.conductor,
            sources=sources,
            composer=composer,
            wall=wall,
            desk=desk,
            control=control,
            schedule=schedule,
            projectors=projectors,
            caretaker=caretaker,
            films=film,
            live=live,
            making=making,
        )
        playing = Playing(show, info, slates, check, show_fingerprint(show), told)
        closing.callback(obey_reloads(parts, playing, kept, _always_told))
    else:
        desk.obeys_reload(NoReloads(ON_ONE_OF_SEVERAL))
    loop = FrameLoop(
        show.settings.fps,
        wall,
        sources=sources,
        conductor=house.conductor,
        composer=composer,
        desk=desk,
        report=report,
        clock=house.clock,
        schedule=schedule,
        watchers=watchers,
        alive=caretaker.alive,
        heat=lambda: thermometer.heat,
        origin_ns=house.origin_ns,
    )
    _log.info(
        "Playing %s on %s. OSC: %s port %d%s.",
        show.settings.title,
        wall.describe(),
        options.osc_host,
        control.port,
        ", UDP and TCP" if options.osc_tcp else "",
    )
    hz = wall.refresh_hz()
    if hz is not None:
        _log.info("%s", describe_cadence(show.settings.fps, hz))
    caretaker.start(report, wall, here, partial(_minute_facts, sources, schedule))
    limit_ns = ENGINE_WAIT_NS if options.mode == "auto" else None
    report.note("preroll_frames", loop.preroll(stop=stopped, limit_ns=limit_ns))
    if live is not None and opens_with_film:
        live.start()
    for fault in slates.faults:
        _log.warning("%s", fault)
    if live is not None:
        _tell_how_it_begins(live, options, stopped, opens_with_film=opens_with_film)
    with _quiet_collector():
        loop.run(stop=stopped, ticks=options.frames)
    caretaker.end()
    if options.snapshot is not None:
        pictures = [wall.read(place) for place in range(len(here))]
        write_pictures(options.snapshot, pictures, here)
    _note_run(report, options, house, wall, sources, control.errors)
    if options.report is not None:
        write_report(options.report, report.as_dict())
    _log.info("%s", summary(report.as_dict()))


class _Tends(Protocol):
    def tend(self, tick: int) -> None: ...


def _tend(one: _Tends, presented: Presented) -> None:
    one.tend(presented.tick)


def _thumbnails(
    path: Path, wall: Wall, osc_port: int, screens: tuple[int, ...], show: Show
) -> Thumbnails | None:
    """None where their file cannot be made: then the show goes on without pictures there."""
    settings = show.settings
    file = path if path.name else usual_path(osc_port)
    try:
        return Thumbnails(wall, file, screens, len(settings.screens), float(settings.fps))
    except ThumbnailsError as fault:
        _log.warning("%s", fault)
        return None


def _note_run(
    report: FrameReport,
    options: Options,
    house: House,
    wall: Wall,
    sources: Sources,
    osc_errors: int,
) -> None:
    """What the report tells besides the frames."""
    if options.node:
        report.note("node", options.node)
        report.note("sync", house.conductor.status())
    report.note("osc_errors", osc_errors)
    report.note("mode", options.mode)
    report.note("outputs", wall.describe())
    report.note("screens", wall.screens_status())
    report.note("engine", "")
    report.note("worker_restarts", 0)
    status = sources.engine()
    if status is not None:
        report.note("engine", status.engine)
        report.note("worker_restarts", status.restarts)
        report.note("quality", sources.quality())
        if status.engine_ms_per_picture:
            report.engine_ms(status.engine_ms_per_picture)


def _tell_how_it_begins(
    live: SynthesizedSource,
    options: Options,
    stopped: Callable[[], bool],
    *,
    opens_with_film: bool,
) -> None:
    status = live.status()
    if status.state == "failed" and options.mode == "live":
        raise ApplicationError(f"--mode live: the engine does not start. {status.detail}")
    if status.state == "ready":
        _log.info("Engine: %s", status.engine)
    elif opens_with_film:
        _log.info("It begins with films, until the engine is ready.")
    elif not stopped():
        _log.warning("It begins with the paintings as stills. %s", status.detail)


def _minute_facts(sources: Sources, schedule: ScheduleDesk) -> Mapping[str, object]:
    status = sources.engine()
    facts: dict[str, object] = {"governor": sources.quality()}
    if status is not None:
        facts["worker_restarts"] = status.restarts
        facts["engine_ms"] = status.render_ms
    facts["is_open"] = schedule.is_open
    return facts


def _always_told(show: Show) -> tuple[tuple[str, int], ...]:
    told = []
    for target in show.settings.osc.send_to:
        address = address_of(target.host, target.port)
        if address is None:
            _log.warning("osc.send_to: nobody knows %s; it is told nothing.", target.host)
        else:
            told.append(address)
    return tuple(told)


def summary(report: dict[str, object]) -> str:
    """The counts of a run in one sentence."""
    return (
        f"{report['frames_presented']} frames presented, {report['frames_late']} late, "
        f"{report['frames_repeated']} repeated, {report['frames_dropped']} dropped; "
        f"first picture after {report['start_to_first_picture_s']} s."
    )


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep Python's garbage collector away: it neither walks over what lives as long as the show
    nor comes in the middle of a frame. The loop calls it when there is time."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
