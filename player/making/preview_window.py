"""The window of `preview`: one ballad, played as the exhibition would play it, on one screen.

The same loop, engine, timeline and renderer; but no port, no state, no films and no schedule. What
is changed in the show's files is seen a moment later.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from player.clock import HouseClock
from player.composer import Composer
from player.frame_loop import FrameLoop, Stop
from player.frame_report import FrameReport
from player.live.synthesis_worker import WorkerError
from player.live_keys import LiveKeys
from player.making.preview_desk import PreviewConductor, PreviewDesk
from player.making.preview_reload import PreviewParts, on_one_screen, playing_of, read_again
from player.opening import live_source
from player.options import Options
from player.reload.desk import ReloadDesk
from player.reload.files import FilesWatch
from player.slate_source import SlateSource
from player.sources import Sources
from player.wall.look import look_of
from player.wall.preview_wall import PreviewWall
from shows.generator_file import read_generator_info
from shows.show import Show

SLATE_PX = 512


def show_window(show: Show, ballad_id: str, *, side_px: int, threads: int, stop: Stop) -> None:
    """Plays the ballad until the window is closed or `stop` tells so.

    side_px: of the window, until somebody makes it larger. threads: of the engine on a CPU. Raises
    ShowError, OutputError, WorkerError.
    """
    show = on_one_screen(show, ballad_id)
    options = Options(show.folder, mode="live", threads=threads)
    with ExitStack() as closing:
        info = read_generator_info(show.generator_path)
        live = live_source(show, options, info, 1)
        closing.callback(live.close)
        live.start()  # first, because it takes longest
        wall = PreviewWall((side_px, side_px), show.ballad(ballad_id).title)
        closing.callback(wall.close)
        wall.set_look(0, look_of(show.settings, 0, software=wall.is_software))
        slates = SlateSource(show, SLATE_PX)
        closing.callback(slates.close)
        slates.start([(ballad_id, 0)])
        keys = LiveKeys(show, (0,), live, info.img_resolution, lambda kind, sentence: None)
        # after a leap the last picture stands until the next one is there, and no still
        sources = Sources((0,), live=keys, films=None, falls_back=False)
        conductor = PreviewConductor(show)
        composer = Composer(show, wall, slates, (0,), stamp=False)
        parts = PreviewParts(options, conductor, sources, composer, wall, live)
        reloads = ReloadDesk(
            playing_of(show, info, slates),
            read=partial(read_again, folder=show.folder, ballad_id=ballad_id),
            take_over=parts.take_over,
        )
        watch = FilesWatch(show.folder, reloads.files_changed)
        closing.callback(watch.close)
        watch.start()
        loop = FrameLoop(
            show.settings.fps,
            wall,
            sources=sources,
            conductor=conductor,
            composer=composer,
            desk=PreviewDesk(conductor, wall, reloads),
            report=FrameReport(show.settings.fps),
            clock=HouseClock(),
        )
        loop.preroll(stop=stop, limit_ns=None)
        status = live.status()
        if status.state == "failed":
            raise WorkerError(f"The engine does not start. {status.detail}")
        loop.run(stop=stop)
