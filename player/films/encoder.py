"""RGBA pictures -> a film's file: which encoder, with which settings, and how parts are joined.

Colour: ITU-R BT.709, limited range, said in the stream itself. Every part has a keyframe at its
first frame and at every `KEYFRAME_EVERY`th from there, groups closed, no picture that refers
forwards: a jump decodes at most that many, and the first frame follows the last as any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from numpy.typing import NDArray

from player.films.codecs import CodecName, FilmCodec, candidates
from player.films.film_facts import KEYFRAME_EVERY, FilmError

_SCALING = int(
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
_ENLARGING = int(Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)


@dataclass(frozen=True)
class FilmTags:
    """What a film's file says of itself. frames: as counted by the container, without decoding."""

    comment: str
    frames: int
    codec: str
    pixel_format: str


class EncoderError(FilmError):
    """Pictures cannot be encoded; the text is a sentence."""


def choose_codec(
    name: CodecName, size_px: tuple[int, int], encoder: str | None = None
) -> FilmCodec:
    """The first of a codec's encoders, hardware before software, that opens for this size here.

    encoder: only this one, as another run has chosen it. Raises EncoderError.
    """
    faults = []
    for codec in candidates(name, size_px):
        if encoder not in (None, codec.encoder):
            continue
        fault = _fault_of(codec, size_px)
        if fault is None:
            return codec
        faults.append(f"{codec.encoder}: {fault}")
    width, height = size_px
    told = "; ".join(faults) or f"{encoder} is none of its encoders"
    raise EncoderError(
        f"No {name} encoder works here for {width}x{height} pictures ({told}); "
        "try --codec h264, or export on the machine that began."
    )


def _fault_of(codec: FilmCodec, size_px: tuple[int, int]) -> str | None:
    """Why a codec does not work here, found by encoding one picture; None when it does."""
    try:
        context: Any = av.CodecContext.create(codec.encoder, "w")
        _set_up(context, codec, size_px, Fraction(30))
        grey = np.full((size_px[1], size_px[0], 4), 128, np.uint8)
        packets = [*context.encode(_frame(grey, codec, 0, Fraction(30))), *context.encode(None)]
    except (av.error.FFmpegError, ValueError) as fault:
        return str(getattr(fault, "strerror", None) or fault)
    return None if packets else "gives no picture"


def _set_up(context: Any, codec: FilmCodec, size_px: tuple[int, int], fps: Fraction) -> None:
    context.width, context.height = size_px
    context.pix_fmt = codec.pixel_format
    context.framerate, context.time_base = fps, 1 / fps
    context.thread_count = codec.threads
    if codec.name == "png":
        return
    if codec.name == "av1":
        os.environ.setdefault("SVT_LOG", "1")  # faults only: it writes to standard error by itself
    context.gop_size, context.max_b_frames = KEYFRAME_EVERY, 0
    context.color_range, context.colorspace = int(ColorRange.MPEG), int(Colorspace.ITU709)
    context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
    context.options = dict(codec.options)


def _frame(
    rgba: NDArray[np.uint8],
    codec: FilmCodec,
    pts: int,
    fps: Fraction,
    size_px: tuple[int, int] | None = None,
) -> Any:
    """rgba [H, W, 4] in the codec's pixel format, enlarged to size_px (width, height)."""
    frame = av.VideoFrame.from_ndarray(rgba, format="rgba")
    full, limited = ColorRange.JPEG, ColorRange.MPEG
    height, width = rgba.shape[:2]
    wanted = size_px or (width, height)
    frame = frame.reformat(
        width=wanted[0],
        height=wanted[1],
        format=codec.pixel_format,
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=full,
        dst_color_range=full if codec.name == "png" else limited,
        interpolation=_SCALING if wanted == (width, height) else _ENLARGING,
    )
    # some encoders read these of the pictures, others of the context; a PNG says that it is sRGB
    frame.color_primaries = ColorPrimaries.BT709
    frame.color_trc = ColorTrc.IEC61966_2_1 if codec.name == "png" else ColorTrc.BT709
    frame.pts, frame.time_base = pts, 1 / fps
    return frame


class FilmEncoder:
    """One film's file while it is written: pictures in, a closed file after `close`.

    size_px: (width, height) of the film; pictures of another size are enlarged.
    metadata: the container's, such as `title` and `comment`. Raises EncoderError, OSError.
    """

    def __init__(
        self,
        path: Path,
        codec: FilmCodec,
        size_px: tuple[int, int],
        fps: Fraction,
        metadata: Mapping[str, str],
    ) -> None:
        self._codec, self._size_px, self._fps, self._pts = codec, size_px, fps, 0
        self._container = _open_to_write(path, codec.container, metadata)
        stream: Any = self._container.add_stream(codec.encoder, rate=fps)
        self._stream = stream
        _set_up(stream.codec_context, codec, size_px, fps)
        if codec.name == "hevc":
            stream.codec_context.codec_tag = "hvc1"  # the name that other players look for

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Append pictures [N, H, W, 4]. Raises EncoderError, OSError."""
        with _faults_of_files():
            for rgba in pictures:
                frame = _frame(rgba, self._codec, self._pts, self._fps, self._size_px)
                self._pts += 1
                self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file. Raises EncoderError, OSError."""
        with _faults_of_files():
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def abandon(self) -> None:
        """Let go of a file that nobody wants; it may be unfinished."""
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError, ValueError):
            return


@contextmanager
def _faults_of_files() -> Iterator[None]:
    """The library's faults as Python's: OSError for the disk's, EncoderError for its own."""
    try:
        yield
    except av.error.FFmpegError as fault:
        number, words = fault.errno or 0, fault.strerror or str(fault)
        if 0 < number < 1000:
            raise OSError(number, words) from fault
        raise EncoderError(f"The encoder or its file failed: {words}.") from fault


def _open_to_write(path: Path, container: str, metadata: Mapping[str, str]) -> Any:
    # bitexact: no version and no date, so that equal films are equal files
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with _faults_of_files():
        opened = av.open(str(path), "w", format=container, options=options)
    opened.metadata.update(metadata)
    return opened


def picture_file(rgba: NDArray[np.uint8]) -> bytes:
    """A picture [H, W, 4] as the bytes of a PNG file without alpha, sRGB as it stands."""
    height, width = rgba.shape[:2]
    codec = candidates("png", (width, height))[0]
    context: Any = av.CodecContext.create(codec.encoder, "w")
    _set_up(context, codec, (width, height), Fraction(30))
    frame = _frame(rgba, codec, 0, Fraction(30))
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def join_films(
    parts: Sequence[tuple[Path, int]], path: Path, container: str, metadata: Mapping[str, str]
) -> int:
    """Write parts, each with its number of frames, one after the other as one film: packets as they
    are, nothing is encoded anew. Returns the frames.

    Raises EncoderError for parts that do not fit each other, OSError.
    """
    written = 0
    with _faults_of_files(), _open_to_write(path, container, metadata) as film:
        stream: Any = None
        head = b""
        for part, frames in parts:
            with av.open(str(part)) as source:
                video: Any = source.streams.video[0]
                if stream is None:
                    # opaque: as it is; a codec may be written by one library and read by another
                    stream = film.add_stream_from_template(video, opaque=True)
                    time_base, head = 1 / Fraction(video.average_rate), _head_of(video)
                    stream.time_base = time_base
                if _head_of(video) != head:
                    raise EncoderError(f"{part} was encoded otherwise than the part before it.")
                start = written
                for packet in source.demux(video):
                    if packet.size == 0:
                        continue  # the end of the stream
                    packet.stream = stream
                    packet.time_base = time_base
                    packet.pts = packet.dts = written
                    packet.duration = 1
                    film.mux(packet)
                    written += 1
            if written - start != frames:
                raise EncoderError(f"{part} holds {written - start} frames instead of {frames}.")
    return written


def _head_of(video: Any) -> bytes:
    return bytes(video.codec_context.extradata or b"")


def film_tags(path: Path) -> FilmTags | None:
    """What a film says of itself; None for a file that is no whole film."""
    try:
        with av.open(str(path)) as film:
            video: Any = film.streams.video[0]
            context = video.codec_context
            comment = film.metadata.get("comment", "")
            codec = context.codec.canonical_name
            return FilmTags(comment, video.frames, codec, context.pix_fmt or "")
    except (av.error.FFmpegError, OSError, IndexError, UnicodeDecodeError):
        return None


def read_frames(path: Path, indices: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
    """Some frames of a film made here, by index: RGB [H, W, 3]. Raises EncoderError, OSError."""
    found: dict[int, NDArray[np.uint8]] = {}
    with _faults_of_files(), av.open(str(path)) as film:
        video: Any = film.streams.video[0]
        frame_ticks = 1 / (video.average_rate * video.time_base)
        for wanted in sorted(set(indices)):
            if wanted:
                film.seek(int(wanted * frame_ticks), stream=video)
            for frame in film.decode(video):
                if round((frame.pts or 0) / frame_ticks) == wanted:
                    found[wanted] = _rgb(frame)
                    break
            if wanted not in found:
                raise EncoderError(f"{path} holds no frame {wanted}.")
    return found


def _rgb(frame: Any) -> NDArray[np.uint8]:
    limited = frame.format.name != "rgb24"
    picture: NDArray[np.uint8] = frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG if limited else ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=_SCALING,
    ).to_ndarray()
    return picture
