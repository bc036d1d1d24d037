"""Wires the parts of the player together; the only file that knows them all."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from player.calibration_desk import CalibrationDesk
from player.caretaker import Caretaker
from player.clock import wall_ns
from player.composer import Composer
from player.film_track import FilmTrack
from player.frame_loop import FrameLoop
from player.frame_report import FrameReport, ReportError, write_report
from player.house import House, alone, joined
from player.live.synthesized_source import SynthesizedSource
from player.live_keys import LiveKeys
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
from player.operator_desk import OperatorDesk
from player.options import ApplicationError, Options
from player.osc.control import OscControl, OscError
from player.osc.rows import Names
from player.osc.udp_socket import address_of
from player.projectors import ProjectorDesk
from player.schedule_desk import ScheduleDesk
from player.slate_source import SlateSource
from player.snapshots import Snapshots, write_pictures
from player.sources import Sources
from player.sync.settings import SyncError
from player.upkeep.wall_time import zone_of
from player.wall.calibration_file import calibration_path, calibrations_or_warning
from player.wall.look import look_of
from player.wall.machine_file import Machine, read_machine_file
from player.wall.outputs import (
    OutputError,
    Wall,
    has_display,
    list_monitors,
    monitors_text,
    open_wall,
)
from player.wall.refresh import describe as describe_cadence
from player.wall.thumbnails import Thumbnails, ThumbnailsError, usual_path
from shows.schema import ShowError
from shows.show import Show, groups_of
from shows.show_file import resolve_ballad

_log = logging.getLogger("player")

ENGINE_WAIT_NS = 20_000_000_000  # --mode auto begins with stills after this
SLATE_PX = 512


def play(options: Options) -> None:
    """Play a show until it ends, is closed, or is told to stop (Ctrl-C, SIGTERM).

    Raises ApplicationError with a sentence for everything that keeps it from playing.
    """
    stopped = _stop_on_signals()
    try:
        with ExitStack() as closing:
            _play(options, stopped, closing)
    except (ShowError, OscError, OutputError, ReportError, SyncError) as fault:
        raise ApplicationError(str(fault)) from fault


def monitors() -> str:
    """This machine's monitors, a line each. Raises ApplicationError."""
    try:
        return monitors_text(list_monitors())
    except OutputError as fault:
        raise ApplicationError(str(fault)) from fault


def _play(options: Options, stopped: Callable[[], bool], closing: ExitStack) -> None:
    show = loaded_show(options)
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
        closing.callback(film.close)
        film.start()
    live = live_source(show, options, info, len(house.screens)) if info is not None else None
    opens_with_film = film is not None and bool(check.films)
    if live is not None:
        closing.callback(live.close)
        if not opens_with_film:  # else it would take the time of the first picture
            live.start()
    names = [screen.name for screen in show.settings.screens]
    here = [names[screen] for screen in house.screens]
    machine = read_machine_file(options.machine, here) if options.machine else None
    control = OscControl(
        names=Names(partial(resolve_ballad, show), len(names), groups_of(show), show.settings.fps),
        host=options.osc_host,
        port=options.osc_port,
        allow=options.allow,
    )
    closing.callback(control.close)
    control.start()
    if stopped():
        return
    wall = _open_wall(options, len(house.screens), machine)
    closing.callback(wall.close)
    if not options.plain:
        is_software = wall.is_software
        for place, screen in enumerate(house.screens):
            wall.set_look(place, look_of(show.settings, screen, software=is_software))
    slates = SlateSource(show, SLATE_PX)
    closing.callback(slates.close)
    opening = [(show.settings.screens[screen].ballad, 0) for screen in house.screens]
    slates.start([] if opens_with_film else opening)
    report = FrameReport(show.settings.fps)
    report.note("start_to_live_s", None)
    caretaker = Caretaker(show, options.mode, state=options.state, journal=options.journal)
    closing.callback(caretaker.close)
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
    watchers = [caretaker.presented]
    if film is not None and options.make_films and check.missing and live is not None:
        making = MissingFilms(show, film, options.program, caretaker.event)
        closing.callback(making.close)
        making.start()
        watchers.append(lambda presented: making.tend(presented.tick))
        _log.info("Making %d films in the background, for when live cannot.", len(check.missing))
    if options.journal is not None:
        zone = zone_of(show.settings.schedule.timezone if show.settings.schedule else None)
        morning = MorningReport(show.folder, options.journal, options.program, zone, wall_ns)
        closing.callback(morning.close)
        watchers.append(lambda presented: morning.tend(presented.tick))
    if options.thumbnails is not None:
        for thumbnails in _thumbnails(options.thumbnails, wall, control.port, house.screens, show):
            closing.callback(thumbnails.close)
            watchers.append(thumbnails.presented)
    snapshots = Snapshots(show.folder / "work" / "snapshots", here)
    closing.callback(snapshots.close)
    projectors = ProjectorDesk(show, wall_ns=wall_ns, environment=os.environ)
    closing.callback(projectors.close)
    projectors.start()  # on every machine: each asks first how a projector is
    loop = FrameLoop(
        show.settings.fps,
        wall,
        sources=sources,
        conductor=house.conductor,
        composer=Composer(show, wall, slates, house.screens, stamp=options.stamp),
        desk=OperatorDesk(
            control,
            house.conductor,
            _calibration_desk(names, machine, options.machine),
            wall,
            house.screens,
            snapshots=snapshots,
            always_told=_always_told(show),
        ),
        report=report,
        clock=house.clock,
        schedule=schedule,
        watchers=watchers,
        alive=caretaker.alive,
        origin_ns=house.origin_ns,
    )
    _log.info(
        "Playing %s on %s. OSC: %s port %d.",
        show.settings.title,
        wall.describe(),
        options.osc_host,
        control.port,
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


def _thumbnails(
    path: Path, wall: Wall, osc_port: int, screens: tuple[int, ...], show: Show
) -> Iterator[Thumbnails]:
    """One, or none where its file cannot be made: then the show goes on without pictures there."""
    settings = show.settings
    file = path if path.name else usual_path(osc_port)
    try:
        yield Thumbnails(wall, file, screens, len(settings.screens), float(settings.fps))
    except ThumbnailsError as fault:
        _log.warning("%s", fault)


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


def _always_told(show: Show) -> list[tuple[str, int]]:
    told = []
    for target in show.settings.osc.send_to:
        address = address_of(target.host, target.port)
        if address is None:
            _log.warning("osc.send_to: nobody knows %s; it is told nothing.", target.host)
        else:
            told.append(address)
    return told


def _calibration_desk(
    names: Sequence[str], machine: Machine | None, machine_file: Path | None
) -> CalibrationDesk:
    """What was saved live goes before what stands in the machine file."""
    first = {
        screen.name: screen.calibration
        for screen in (machine.screens if machine else ())
        if screen.calibration is not None
    }
    if machine_file is None:
        return CalibrationDesk(names, first, None)
    path = calibration_path(machine_file)
    saved, warning = calibrations_or_warning(path)
    if warning:
        _log.warning("%s", warning)
    return CalibrationDesk(names, {**first, **saved}, path)


def _open_wall(options: Options, screens: int, machine: Machine | None) -> Wall:
    kind = options.outputs or (machine.outputs if machine else None)
    if kind is None:
        kind = "windows" if has_display() else "headless"
    elif kind != "headless" and not has_display():
        _log.warning("There is no display here, so --outputs %s becomes headless.", kind)
        kind = "headless"
    if kind == "headless" and options.outputs is None:
        _log.warning("There is no display here: playing headless.")
    return open_wall(kind, screens, options.size, machine, options.front)


def summary(report: dict[str, object]) -> str:
    """The counts of a run in one sentence."""
    return (
        f"{report['frames_presented']} frames presented, {report['frames_late']} late, "
        f"{report['frames_repeated']} repeated, {report['frames_dropped']} dropped; "
        f"first picture after {report['start_to_first_picture_s']} s."
    )


def _stop_on_signals() -> Callable[[], bool]:
    """True from the first SIGINT or SIGTERM on."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)

    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, note)
    return lambda: bool(received)


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
