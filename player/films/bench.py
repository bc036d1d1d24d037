"""What films cost: how many pictures a second this machine plays, against what the show needs.

    python -m player.films.bench [--size 1024] [--films 7] [--seconds 5] [--json FILE]

Makes films of moving paintings as `export` would encode them, plays them through the film process
as fast as it goes, and prints pictures a second and their share of real time, decoded by software
and by hardware where there is some. A ballad's change in the middle shows what a seek costs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from player.clock import HouseClock
from player.films.codecs import SUFFIXES
from player.films.decoder import FFMPEG, FilmReader
from player.films.encoder import FilmEncoder, choose_codec
from player.films.film_facts import KEYFRAME_EVERY, FilmError
from player.films.film_source import FilmFrame, FilmSource
from player.films.library import Film
from player.frame_report import Spread
from player.live.ring_layout import HORIZON_FRAMES
from shows.picture_file import PictureError, read_square
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show

FPS = 30
LOOP_FRAMES = 150
WARM_FRAMES = 15
_SHOW = Path(__file__).resolve().parents[2] / "shows" / "inspace"
_HARDWARE = ("cuda", "vaapi", "videotoolbox", "d3d11va")
_GIVEN_UP_S = 60.0
_AGAIN_NS = 500_000_000


def moving(paintings: Sequence[NDArray[np.uint8]], size_px: int) -> Iterator[NDArray[np.uint8]]:
    """A loop of LOOP_FRAMES pictures [1, H, W, 4]: wandering over paintings, each becoming the
    next, which is as smooth as the show's morphs."""
    room = paintings[0].shape[0] - size_px
    for frame in range(LOOP_FRAMES):
        turn = 2 * math.pi * frame / LOOP_FRAMES
        y, x = (round(room * (0.5 + 0.5 * wave(turn))) for wave in (math.sin, math.cos))
        place = frame * len(paintings) / LOOP_FRAMES
        first, share = int(place), place % 1.0
        a, b = (paintings[(first + step) % len(paintings)] for step in (0, 1))
        cut = np.s_[y : y + size_px, x : x + size_px]
        picture = np.full((1, size_px, size_px, 4), 255, np.uint8)
        picture[0, ..., :3] = np.rint(a[cut] * np.float32(1 - share) + b[cut] * np.float32(share))
        yield picture


def make_films(show: Show, folder: Path, films: int, size_px: int) -> dict[str, Film]:
    """Test films film-1 ... in the folder, encoded as `export` does. Raises FilmError, OSError."""
    codec = choose_codec("h264", (size_px, size_px))
    made: dict[str, Film] = {}
    for number in range(films):
        ballad = show.ballads[number % len(show.ballads)]
        paintings = [
            read_square(
                show.painting_path(ballad.id, index),
                size_px + size_px // 8,
                crop=painting.crop,
                background=painting.background,
            )
            for index, painting in enumerate(ballad.paintings)
        ]
        film_id = f"film-{number + 1}"
        path = folder / f"{film_id}{SUFFIXES['h264']}"
        encoder = FilmEncoder(path, codec, (size_px, size_px), Fraction(FPS), {})
        for picture in moving(paintings, size_px):
            encoder.add(picture)
        encoder.close()
        made[film_id] = Film(film_id, path, LOOP_FRAMES, None, "foreign")
    return made


class Playing:
    """Plays all films on a screen each, every frame as soon as it is there.

    In blocks of as many frames as are made ahead: the film process leaves out what it takes to be
    too late, and here nothing is.
    """

    def __init__(self, films: dict[str, Film], size_px: int, hardware: str) -> None:
        self._ids = list(films)
        self._clock = HouseClock()
        self._frame, self._jumped = 0, 0
        self._block_ends = 0
        self.source = FilmSource(
            films, screens=len(films), size_px=(size_px, size_px), hardware=hardware
        )
        self.source.start()

    def next_ms(self) -> float:
        """Milliseconds until the next frame is there. Raises FilmError if it never comes."""
        began_ns = self._clock.now_ns()
        if self._frame == self._block_ends:
            self._ask()
        while True:
            now_ns = self._clock.now_ns()
            self.source.tend(now_ns)
            shown = self.source.pictures(self._frame)
            if shown is not None and shown.frame == self._frame and all(shown.picture_of):
                self._frame += 1
                return (self._clock.now_ns() - began_ns) / 1e6
            if now_ns - began_ns > _AGAIN_NS:
                self.source.play(self._frame)  # what took too long at first is asked for anew
            if now_ns - began_ns > _GIVEN_UP_S * 1e9:
                raise FilmError(f"No pictures came: {self.source.status().detail}")
            self._clock.wait_until_ns(now_ns + 200_000)

    def jump(self) -> None:
        """To the worst place of every film: the last frame before a keyframe, far away."""
        self._frame = self._block_ends
        self._jumped += LOOP_FRAMES // 2
        self._jumped += (-1 - self._frame - self._jumped) % KEYFRAME_EVERY

    def _ask(self) -> None:
        self.source.play(self._frame)
        self._block_ends = self._frame + HORIZON_FRAMES
        for frame in range(self._frame, self._block_ends):
            wanted = [[FilmFrame(film, frame + self._jumped)] for film in self._ids]
            self.source.request(frame, wanted)


def measured(films: dict[str, Film], size_px: int, seconds: float, hardware: str) -> dict[str, Any]:
    """Figures of one way of decoding. Raises FilmError."""
    clock = HouseClock()
    began_ns = clock.now_ns()
    playing = Playing(films, size_px, hardware)
    try:
        playing.next_ms()
        first_ms = (clock.now_ns() - began_ns) / 1e6
        for _ in range(WARM_FRAMES):
            playing.next_ms()
        spread, frames = Spread(), 0
        began_ns = clock.now_ns()
        while (took_ns := clock.now_ns() - began_ns) < seconds * 1e9:
            spread.add(playing.next_ms())
            frames += 1
        seeks = Spread()
        for _ in range(5):
            playing.jump()
            seeks.add(playing.next_ms())
        status = playing.source.status()
    finally:
        playing.source.close()
    rate = frames * len(films) / (took_ns / 1e9)
    return {
        "decoded_by": status.engine,
        "first_picture_ms": round(first_ms),
        "pictures_per_second": round(rate, 1),
        "share_of_real_time": round(rate / (FPS * len(films)), 3),
        "frame_ms": spread.as_dict(),
        "jump_ms": seeks.as_dict(),
    }


def hardware_for(film: Film) -> str:
    """The first kind of hardware here that decodes the film; empty if there is none."""
    for name in _HARDWARE:
        try:
            reader = FilmReader(film.path, hardware=name)
        except FilmError:
            continue
        try:
            if reader.decoded_by == name:
                reader.hold(0)
                return name
        except FilmError:
            continue
        finally:
            reader.close()
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 with a sentence where it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m player.films.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--show", type=Path, default=_SHOW, help="whose paintings the films show")
    parser.add_argument("--size", type=int, default=1024, metavar="PX", help="side of the pictures")
    parser.add_argument("--films", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0, help="to play for, each way")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    if not (16 <= args.size <= 4096 and args.size % 2 == 0 and 1 <= args.films <= 64):
        parser.error("--size must be even and from 16 to 4096, --films from 1 to 64")
    try:
        told = _told(args)
    except (FilmError, ShowError, PictureError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    if args.json is not None:
        args.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


def _told(args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="inspace-films-") as folder:
        show = load_show(args.show, latents=False)
        films = make_films(show, Path(folder), args.films, args.size)
        size_bytes = sum(film.path.stat().st_size for film in films.values()) / len(films)
        mbit_s = size_bytes * 8 / (LOOP_FRAMES / FPS) / 1e6
        print(
            f"{args.films} films of {args.size} px, {mbit_s:.1f} Mbit/s each, on "
            f"{os.cpu_count()} cores; {FFMPEG}"
        )
        ways = {"software": measured(films, args.size, args.seconds, "")}
        hardware = hardware_for(next(iter(films.values())))
        if hardware:
            ways[hardware] = measured(films, args.size, args.seconds, hardware)
        else:
            print("No hardware here decodes films.")
    for name, figures in ways.items():
        print(
            f"{name:>12}  {figures['pictures_per_second']} pictures/s, "
            f"{figures['share_of_real_time']:.2f} of real time; a frame p50 "
            f"{figures['frame_ms']['p50']} ms, p99 {figures['frame_ms']['p99']} ms; a jump "
            f"{figures['jump_ms']['max']} ms at most; first picture after "
            f"{figures['first_picture_ms']} ms"
        )
    told = {"size_px": args.size, "films": args.films, "mbit_s": round(mbit_s, 2), "ways": ways}
    return {**told, "cores": os.cpu_count(), "ffmpeg": FFMPEG}


if __name__ == "__main__":
    sys.exit(main())
