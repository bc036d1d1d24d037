"""A film of the projections of a ballad as they form: work/<ballad>/projection.mp4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from training.contact_sheet import GAP_PX, Frame, Pixels, Sheet, cell_side_px
from training.errors import TrainingError

FPS = 30
HOLD_FRAMES = 45
COLUMNS = 5
STRIP_PX = 22


@dataclass(frozen=True, eq=False)
class Film:
    """What is on it. paintings: uint8 [P, R, R, 3]. names: of the paintings. title: one line."""

    paintings: Pixels
    names: Sequence[str]
    title: str

    def frames(self, moments: Iterator[tuple[str, Pixels]]) -> Iterator[Pixels]:
        """uint8 [H, W, 3], both sides even: every painting above its projection of that moment.
        moments: words, and uint8 [P, R, R, 3]."""
        cell = cell_side_px(self.paintings.shape[1], 256)
        columns = min(len(self.names), COLUMNS)
        step_y = cell + STRIP_PX + GAP_PX
        head = STRIP_PX + 2 * GAP_PX
        width = columns * (cell + GAP_PX) + GAP_PX
        height = head + 2 * step_y * -(-len(self.names) // columns)
        sheet = Sheet(width + width % 2, height + height % 2, STRIP_PX)
        sheet.title(self.title)
        places = []
        for index, name in enumerate(self.names):
            row, column = divmod(index, columns)
            place = Frame(GAP_PX + column * (cell + GAP_PX), head + 2 * row * step_y, cell)
            sheet.put(self.paintings[index], place, name)
            places.append(Frame(place.left, place.top + step_y, cell))
        for words, pictures in moments:
            for place, picture in zip(places, pictures, strict=True):
                sheet.put(picture, place, words)
            yield np.asarray(sheet.image)


def write_film(path: Path, film: Film, moments: Iterator[tuple[str, Pixels]]) -> None:
    """H.264, 30 frames a second, yuv420p, BT.709; the last moment stays for 1.5 s. Whole or not at
    all. Raises TrainingError."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _encode(part, film.frames(moments))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, av.error.FFmpegError, ValueError) as fault:
        raise TrainingError(f"{path} cannot be written ({fault}).") from fault


def _encode(path: Path, frames: Iterator[NDArray[np.uint8]]) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream: Any = None
        last: NDArray[np.uint8] | None = None
        for number, pixels in enumerate(_held(frames)):
            if stream is None:
                stream = container.add_stream("libx264", rate=FPS)
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": "18", "preset": "veryfast"}
                context = stream.codec_context
                context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
                context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
            if pixels is not last:
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                    format="yuv420p",
                    src_colorspace=Colorspace.ITU709,
                    dst_colorspace=Colorspace.ITU709,
                    src_color_range=ColorRange.JPEG,
                    dst_color_range=ColorRange.MPEG,
                )
            frame.pts, last = number, pixels
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _held(frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    last: NDArray[np.uint8] | None = None
    for last in frames:
        yield last
    if last is not None:
        for _ in range(HOLD_FRAMES):
            yield last
