"""Wires the parts of the player together; the only file that knows them all."""

from __future__ import annotations

import gc
import logging
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from PIL import Image

from player.calibration_desk import CalibrationDesk
from player.composer import Composer
from player.frame_loop import FrameLoop
from player.frame_report import FrameReport, ReportError, write_report
from player.house import alone, joined
from player.live.ring_layout import Geometry
from player.live.synthesized_source import SynthesizedSource
from player.operator_desk import OperatorDesk
from player.osc.control import OscControl, OscError
from player.slate_source import SlateSource
from player.sync.settings import SyncError
from player.wall.calibration_file import calibration_path, calibrations_or_warning
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
from shows.generator_file import read_generator_info
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show, resolve_ballad

Mode = Literal["auto", "live", "film", "slate"]
OutputKind = Literal["windows", "span", "headless"]

_log = logging.getLogger("player")

ENGINE_WAIT_NS = 20_000_000_000  # --mode auto begins with stills after this
SLATE_PX = 512


@dataclass(frozen=True)
class Options:
    """What the command line says. size: of one screen in pixels, None for the outputs' own."""

    show: Path
    mode: Mode = "auto"
    outputs: OutputKind | None = None
    size: tuple[int, int] | None = None
    frames: int | None = None
    machine: Path | None = None
    stamp: bool = False
    front: Path | None = None
    node: str | None = None
    report: Path | None = None
    snapshot: Path | None = None
    osc_host: str = "127.0.0.1"
    osc_port: int = 9000
    threads: int = 1


class ApplicationError(Exception):
    """The installation cannot run; the text is a sentence for the person who started it."""


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
    synthesises = options.mode in ("auto", "live")
    show = load_show(options.show, latents=synthesises)
    for warning in show.warnings:
        _log.warning("%s", warning)
    names = [screen.name for screen in show.settings.screens]
    house = joined(show, options.node) if options.node else alone(show)
    closing.callback(house.close)
    here = [names[screen] for screen in house.screens]
    machine = read_machine_file(options.machine, here) if options.machine else None
    if options.mode == "film":
        _log.warning("There are no films of this show yet: the paintings are shown as stills.")
    # first of all, because it takes longest: the engine loads while the windows open
    live = _live_source(show, options, len(house.screens)) if synthesises else None
    if live is not None:
        closing.callback(live.close)
        live.start()
    control = OscControl(
        resolve=partial(resolve_ballad, show),
        screens=len(names),
        host=options.osc_host,
        port=options.osc_port,
    )
    closing.callback(control.close)
    control.start()
    if stopped():
        return
    wall = _open_wall(options, len(house.screens), machine)
    closing.callback(wall.close)
    slates = SlateSource(show, SLATE_PX)
    slates.start([(show.settings.screens[screen].ballad, 0) for screen in house.screens])
    report = FrameReport(show.settings.fps)
    report.note("start_to_live_s", None)
    calibration = _calibration_desk(names, machine, options.machine)
    loop = FrameLoop(
        show,
        wall,
        screens=house.screens,
        live=live,
        conductor=house.conductor,
        composer=Composer(show, wall, slates, house.screens, stamp=options.stamp),
        desk=OperatorDesk(control, house.conductor, calibration, wall, house.screens),
        report=report,
        clock=house.clock,
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
    limit_ns = ENGINE_WAIT_NS if options.mode == "auto" else None
    report.note("preroll_frames", loop.preroll(stop=stopped, limit_ns=limit_ns))
    for fault in slates.faults:
        _log.warning("%s", fault)
    if live is not None:
        status = live.status()
        if status.state == "failed" and options.mode == "live":
            raise ApplicationError(f"--mode live: the engine does not start. {status.detail}")
        if status.state == "ready":
            _log.info("Engine: %s", status.engine)
        elif not stopped():
            _log.warning("It begins with the paintings as stills. %s", status.detail)
    with _quiet_collector():
        loop.run(stop=stopped, ticks=options.frames)
    if options.snapshot is not None:
        write_snapshots(options.snapshot, wall, here)
    if options.node:
        report.note("node", options.node)
        report.note("sync", house.conductor.status())
    report.note("osc_errors", control.errors)
    report.note("mode", options.mode)
    report.note("outputs", wall.describe())
    report.note("screens", wall.screens_status())
    report.note("engine", "")
    report.note("worker_restarts", 0)
    if live is not None:
        status = live.status()
        report.note("engine", status.engine)
        report.note("worker_restarts", status.restarts)
        if status.engine_ms_per_picture:
            report.engine_ms(status.engine_ms_per_picture)
    if options.report is not None:
        write_report(options.report, report.as_dict())
    _log.info("%s", summary(report.as_dict()))


def _live_source(show: Show, options: Options, screens: int) -> SynthesizedSource | None:
    try:
        info = read_generator_info(show.generator_path)
    except ShowError as fault:
        if options.mode == "live":
            raise
        _log.warning("%s The paintings are shown as stills.", fault)
        return None
    geometry = Geometry(screens, info.num_ws, info.w_dim, info.img_resolution, info.img_resolution)
    return SynthesizedSource(
        geometry,
        factory_args={
            "path": str(show.generator_path.resolve()),
            "screens": screens,
            "noise_mode": show.settings.noise_mode,
            "threads": options.threads,
        },
    )


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


def write_snapshots(folder: Path, wall: Wall, names: Sequence[str]) -> None:
    """What each screen last showed, as PNG. Raises ReportError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for screen, called in enumerate(names):
            name = re.sub(r"[^\w-]+", "-", called)  # it may hold what no file name can
            image = Image.fromarray(wall.read(screen))
            image.save(folder / f"screen-{screen + 1}-{name}.png")
    except OSError as fault:
        raise ReportError(f"The snapshots cannot be written to {folder}: {fault}") from fault


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
