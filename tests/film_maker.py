"""Films for tests, encoded on the spot; every picture can carry its number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from player.films.film_facts import KEYFRAME_EVERY, FilmFacts, facts_text

BITS = 12


def number_picture(number: int, width_px: int = 32, height_px: int = 32) -> NDArray[np.uint8]:
    """[H, W, 3]: BITS blocks in rows of four, light for one and dark for zero, lowest first."""
    picture = np.zeros((height_px, width_px, 3), np.uint8)
    high, wide = height_px // 3, width_px // 4
    for bit in range(BITS):
        row, column = divmod(bit, 4)
        block = picture[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
        block[...] = 210 if number >> bit & 1 else 40
    return picture


def number_of(picture: NDArray[np.uint8]) -> int:
    """What `number_picture` wrote, whatever the picture's size."""
    height_px, width_px = picture.shape[:2]
    number = 0
    for bit in range(BITS):
        row, column = divmod(bit, 4)
        y, x = int((row + 0.5) * height_px / 3), int((column + 0.5) * width_px / 4)
        number |= int(picture[y, x, 1] > 125) << bit
    return number


def numbers(count: int, width_px: int = 32, height_px: int = 32) -> list[NDArray[np.uint8]]:
    """`count` pictures that carry 0, 1, ...."""
    return [number_picture(number, width_px, height_px) for number in range(count)]


def make_film(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    *,
    fps: Fraction | int = 30,
    codec: str = "libx264",
    pixels: str = "yuv444p",
    options: Mapping[str, str] | None = None,
    facts: FilmFacts | None = None,
    faststart: bool = True,
    tagged: bool = True,
) -> Path:
    """Encode as `export` does: closed groups of KEYFRAME_EVERY, no B-frames, BT.709 limited."""
    gop = str(KEYFRAME_EVERY)
    wanted = {"crf": "12", "bf": "0", "g": gop, "keyint_min": gop, "sc_threshold": "0"}
    wanted.update(options or {})
    muxing = {"movflags": "+faststart"} if faststart and path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=muxing) as container:
        if facts is not None:
            container.metadata["comment"] = facts_text(facts)
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream(codec, rate=Fraction(fps), options=wanted)
                stream.width, stream.height = picture.shape[1], picture.shape[0]
                stream.pix_fmt = pixels
                stream.codec_context.thread_count = 1
                if tagged:
                    stream.codec_context.colorspace = 1
                    stream.codec_context.color_range = 1
                    stream.codec_context.color_primaries = 1
                    stream.codec_context.color_trc = 1
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(
                format=pixels,
                src_color_range=2,
                dst_color_range=1,
                dst_colorspace=1,
                interpolation=4 | 0x40000 | 0x2000,
            )
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode(None))
    return path
