"""How a ballad moves: straight or on a curve, together or in a wave, near its painting or far."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.picture_book.sheet import Pixels, below, beside, film, save, sheet
from player.picture_book.stage import Stage, ballad_ws, with_settings
from player.wall.look import Look
from shows.show import Show
from shows.timeline import phase_frames

_STRENGTHS = (0.05, 0.08, 0.12, 0.2, 0.3)
_SIDE_PX, _SMALL_PX = 384, 128
_SHARP = Look(sharp=True)


def paths(stage: Stage, out: Path) -> dict[str, object]:
    """One painting's loop and morph on straight lines and on a curve: a film of both side by side,
    the middle column of each over time (where a line has a corner, the path has one), and how fast
    w moves."""
    shows = {name: with_settings(stage.show, path=name) for name in ("linear", "smooth")}
    ballad = stage.show.ballad_ids[0]
    frames = stage.show.segment_frames
    columns: dict[str, list[Pixels]] = {name: [] for name in shows}

    def drawn() -> Iterator[Pixels]:
        for frame in range(frames):
            pictures = stage.pictures([ballad_ws(show, ballad, frame) for show in shows.values()])
            both = [stage.shown(one[None], (_SIDE_PX, _SIDE_PX), _SHARP) for one in pictures]
            for name, picture in zip(shows, both, strict=True):
                columns[name].append(picture[:, _SIDE_PX // 3])
            yield beside(both)

    film(out / "linear-and-smooth.mp4", stage.show.settings.fps, drawn())
    slices = {name: np.stack(seen, axis=1).repeat(3, axis=1) for name, seen in columns.items()}
    save(
        sheet(
            [
                [
                    (
                        f"{name}: one column of the picture, {frames} frames from left to right",
                        picture,
                    )
                ]
                for name, picture in slices.items()
            ]
        ),
        out / "paths.jpg",
    )
    speeds = {name: _speeds(show, ballad, frames) for name, show in shows.items()}
    return {name: _told(speed) for name, speed in speeds.items()}


def _told(velocities: NDArray[np.float64]) -> dict[str, float]:
    """Of one path, in its mean speed: the largest change between two frames, the slowest place."""
    changes = np.linalg.norm(np.diff(velocities, axis=0), axis=1)
    speeds = np.linalg.norm(velocities, axis=1)
    return {
        "largest_change_of_velocity": round(float(changes.max()), 3),
        "median_change_of_velocity": round(float(np.median(changes)), 3),
        "slowest": round(float(speeds.min()), 3),
        "fastest": round(float(speeds.max()), 3),
    }


def phases(stage: Stage, out: Path) -> dict[str, object]:
    """All screens for one painting's time: together, in a wave, scattered; a row each."""
    show = stage.show
    rows = [with_settings(show, phases=name) for name in ("together", "wave", "scattered")]
    starts = [
        [phase_frames(row, n, screen.ballad) for n, screen in enumerate(show.settings.screens)]
        for row in rows
    ]

    def drawn() -> Iterator[Pixels]:
        for frame in range(show.segment_frames):
            ws = [
                ballad_ws(show, screen.ballad, frame + start)
                for row in starts
                for screen, start in zip(show.settings.screens, row, strict=True)
            ]
            size_px = (_SMALL_PX, _SMALL_PX)
            small = [stage.shown(one[None], size_px, _SHARP) for one in stage.pictures(ws)]
            count = len(show.settings.screens)
            yield below([beside(small[i : i + count], 4) for i in range(0, len(small), count)], 12)

    film(out / "phases.mp4", show.settings.fps, drawn())
    return {"wave_frames": starts[1][1] - starts[1][0]}


def loops(stage: Stage, out: Path) -> dict[str, object]:
    """Paintings beside their seventh stop at several strengths; how far it has gone, in w and as a
    picture, over all paintings of the show."""
    show = stage.show
    stop = show.settings.stops * show.settings.frames_per_stop
    told: dict[str, object] = {}
    rows: dict[str, list[tuple[str, Pixels]]] = {ballad: [] for ballad in show.ballad_ids[:4]}
    for strength in _STRENGTHS:
        moved = with_settings(show, noise_strength=strength)
        far_w, far_picture = [], []
        for ballad in show.ballads:
            starts = [n * show.segment_frames for n in range(len(ballad.paintings))]
            here = [ballad_ws(moved, ballad.id, start) for start in starts]
            there = [ballad_ws(moved, ballad.id, start + stop) for start in starts]
            before, after = stage.pictures(here), stage.pictures(there)
            w_avg = show.latents[ballad.id].w_avg
            far_w += [
                float(np.linalg.norm(b - a) / np.linalg.norm(a - w_avg))
                for a, b in zip(here, there, strict=True)
            ]
            differences = before[..., :3].astype(float) - after[..., :3]
            far_picture += list(np.sqrt((differences**2).mean(axis=(1, 2, 3))))
            if ballad.id in rows:
                row = rows[ballad.id]
                if not row:
                    row.append((ballad.title, _square(stage, before[0])))
                row.append((f"strength {strength}", _square(stage, after[0])))
        told[str(strength)] = {
            "w_of_the_way_to_the_mean": round(float(np.mean(far_w)), 3),
            "picture_rms_levels": round(float(np.mean(far_picture)), 1),
            "picture_rms_levels_most": round(float(np.max(far_picture)), 1),
        }
    apart = _between_paintings(stage)
    save(sheet(list(rows.values())), out / "loops.jpg")
    return {"by_strength": told, "rms_between_neighbouring_paintings": apart}


def _between_paintings(stage: Stage) -> float:
    far = []
    for ballad in stage.show.ballads:
        count = len(ballad.paintings)
        ws = [ballad_ws(stage.show, ballad.id, n * stage.show.segment_frames) for n in range(count)]
        pictures = stage.pictures(ws)[..., :3].astype(float)
        far += list(np.sqrt(((pictures - np.roll(pictures, 1, axis=0)) ** 2).mean(axis=(1, 2, 3))))
    return round(float(np.mean(far)), 1)


def _square(stage: Stage, picture: Pixels) -> Pixels:
    return stage.shown(picture[None], (256, 256), _SHARP)


def _speeds(show: Show, ballad: str, frames: int) -> NDArray[np.float64]:
    """Of w from frame to frame: [frames, w_dim], in the mean speed of this path."""
    w = np.stack([ballad_ws(show, ballad, frame)[0] for frame in range(frames + 1)]).astype(float)
    speed = np.diff(w, axis=0)
    scale = np.linalg.norm(speed, axis=1).mean()
    result: NDArray[np.float64] = speed / scale
    return result
