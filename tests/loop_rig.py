"""A frame loop with everything around it faked, except for the parsing of OSC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from player.calibration_desk import CalibrationDesk
from player.clock import OfflineClock
from player.composer import Composer
from player.conductor import LocalConductor
from player.disk_writer import DiskWriter
from player.film_track import FilmTrack
from player.frame_loop import FrameLoop, Watcher
from player.frame_report import FrameReport
from player.live_keys import LiveKeys
from player.operator_desk import OperatorDesk
from player.osc.control import OscControl
from player.osc.rows import Names
from player.schedule_desk import ScheduleDesk
from player.slate_source import SlateSource
from player.snapshots import Snapshots
from player.sources import Sources
from shows.show import Show
from shows.show_file import resolve_ballad
from tests.loop_fakes import FakeFilms, FakeSource, FakeWall, Shown

SCREENS = 3
FRAME_NS = 1_000_000_000 // 30
LIMIT_NS = 2_000_000_000
BEGAN_WALL_NS = 1_796_000_000_000_000_000


@dataclass
class Rig:
    """A loop with everything around it faked, except for the parsing of OSC."""

    show: Show
    live: FakeSource | None = field(default_factory=lambda: FakeSource(SCREENS))
    answers: list[tuple[str, ...]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    films: FakeFilms | None = None
    falls_back: bool = True
    watchers: Sequence[Watcher] = ()
    schedule: ScheduleDesk | None = None
    stamp: bool = False
    origin_ns: int | None = None
    snapshots: Path | None = None
    calibration_file: Path | None = None

    def __post_init__(self) -> None:
        self.clock = OfflineClock(7_000_000_000)
        self.wall = FakeWall(self.clock, SCREENS)
        self.slates = SlateSource(self.show, 4)
        self.report = FrameReport(self.show.settings.fps)
        self.control = OscControl(
            names=Names(partial(resolve_ballad, self.show), SCREENS, {"left": (0, 1)}),
            port=0,
            send=lambda data, _: self.answers.append(tuple(OscMessage(data).params)),
            clock=self.clock,
            wall_ns=self.wall_ns,
        )
        screens = tuple(range(SCREENS))
        conductor = self.conductor = LocalConductor(self.show)
        names = [screen.name for screen in self.show.settings.screens]
        calibration = self.calibration = CalibrationDesk(names, {}, self.calibration_file)
        self.disk = DiskWriter()
        keys = LiveKeys(self.show, screens, self.live, 64, self.tell) if self.live else None
        track = FilmTrack(self.show, screens, self.films) if self.films else None
        self.sources = Sources(
            screens, live=keys, films=track, falls_back=self.falls_back, event=self.tell
        )
        self.composer = Composer(self.show, self.wall, self.slates, screens, stamp=self.stamp)
        self.desk = OperatorDesk(
            self.control,
            conductor,
            calibration,
            self.wall,
            screens,
            disk=self.disk,
            snapshots=Snapshots(self.snapshots, names) if self.snapshots else None,
        )
        self.loop = FrameLoop(
            self.show.settings.fps,
            self.wall,
            sources=self.sources,
            conductor=conductor,
            composer=self.composer,
            desk=self.desk,
            report=self.report,
            clock=self.clock,
            origin_ns=self.origin_ns,
            watchers=self.watchers,
            schedule=self.schedule,
        )

    def wall_ns(self) -> int:
        """The wall clock, which goes with the loop's."""
        return BEGAN_WALL_NS + self.clock.now_ns()

    def tell(self, kind: str, sentence: str) -> None:
        self.events.append((kind, sentence))

    def preroll(self, *, stop: bool = False, limit_ns: int | None = LIMIT_NS) -> int:
        """The ticks it took; what was shown in it is in `opening`."""
        ticks = self.loop.preroll(stop=lambda: stop, limit_ns=limit_ns)
        self.opening, self.wall.shown = self.wall.shown, []
        self.wall.uploads.clear()
        self.wall.at_poll.clear()
        return ticks

    def run(self, ticks: int) -> list[Shown]:
        """What was shown on these further ticks."""
        before = len(self.wall.shown)
        self.loop.run(stop=lambda: False, ticks=ticks)
        return self.wall.shown[before:]

    def say(self, address: str, *args: object) -> None:
        builder = OscMessageBuilder(address)
        for arg in args:
            builder.add_arg(arg)
        self.control.handle_datagram(builder.build().dgram, ("operator", 1))

    def counts(self) -> tuple[int, int, int, int]:
        """presented, late, repeated, dropped"""
        told = self.report.counts
        return told["presented"], told["late"], told["repeated"], told["dropped"]

    def by_source(self) -> object:
        return self.report.as_dict()["frames_by_source"]

    @property
    def engine(self) -> FakeSource:
        assert self.live is not None
        return self.live


def frames(shown: list[Shown]) -> list[int | None]:
    return [one.live_frame for one in shown]
