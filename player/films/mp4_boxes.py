"""What an MP4 or QuickTime file says of its pictures and where they lie, read without a codec.

After ISO/IEC 14496-12 (boxes, sample tables) and 14496-15 (how H.264 and HEVC lie in samples). It
takes milliseconds, so that every film is looked through before the show begins: a file that was
cut short has samples beyond its end, one that was never finished has no `moov` box.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from player.films.film_facts import FilmError

_MAX_MOOV_BYTES = 64 << 20
_MAX_SAMPLES = 1 << 24
_MAX_BOXES = 10_000
_MAX_COMMENT_BYTES = 1 << 20
_PROBES = 16
_STARTS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_NAL_CODECS = ("avc1", "hvc1", "hev1")

Box = tuple[bytes, int, int]  # kind, and where its content begins and ends


@dataclass(frozen=True, eq=False)
class Mp4Video:
    """The first video track. offsets and sizes [frames] in bytes, in decoding order."""

    codec: str  # four characters, as in avc1
    width_px: int
    height_px: int
    fps: Fraction
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    comment: str  # empty if there is none

    @property
    def frames(self) -> int:
        """How many samples, which are frames."""
        return len(self.sizes)


def read_mp4(path: Path) -> Mp4Video | None:
    """The film's table of contents; None for a file that is no plain MP4 or QuickTime file.

    Raises FilmError, a sentence that names the file, for one that is cut short or damaged: every
    frame must lie within the file.
    """
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if size_bytes == 0:
                raise FilmError(f"{path} is empty; export it again.")
            moov = _moov(path, file, size_bytes)
            if moov is None:
                return None
            video = _video(path, moov)
            if video is not None:
                _lies_within(path, video, size_bytes)
            return video
    except OSError as fault:
        raise FilmError(f"{path} cannot be read: {fault.strerror or fault}.") from fault
    except (struct.error, ValueError, LookupError, OverflowError, ZeroDivisionError) as fault:
        raise FilmError(f"{path} is damaged: its table of contents makes no sense.") from fault


def _moov(path: Path, file: BinaryIO, size_bytes: int) -> bytes | None:
    at, moov, boxes = 0, None, 0
    while at + 8 <= size_bytes and boxes < _MAX_BOXES:
        file.seek(at)
        header = file.read(16)
        length, kind = struct.unpack(">I4s", header[:8])
        if at == 0 and kind not in _STARTS:
            return None
        head = 8
        if length == 1:
            length, head = struct.unpack(">Q", header[8:])[0], 16
        elif length == 0:
            length = size_bytes - at
        if length < head:
            raise FilmError(f"{path} is damaged: byte {at} begins a box of {length} bytes.")
        if at + length > size_bytes:
            raise FilmError(
                f"{path} is cut short: {at + length - size_bytes} of its bytes are missing; export "
                "it again or copy it anew."
            )
        if kind == b"moov" and moov is None:
            if length > _MAX_MOOV_BYTES:
                raise FilmError(f"{path} is damaged: its table of contents has {length} bytes.")
            file.seek(at + head)
            moov = file.read(length - head)
        at += length
        boxes += 1
    if moov is None:
        raise FilmError(f"{path} was never finished: it has no table of contents; export it again.")
    return moov


def _boxes(data: bytes, begin: int, end: int) -> Iterator[Box]:
    count = 0
    while begin + 8 <= end and count < _MAX_BOXES:
        length, kind = struct.unpack_from(">I4s", data, begin)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", data, begin + 8)[0], 16
        elif length == 0:
            length = end - begin
        if length < head or begin + length > end:
            raise ValueError("a box that does not fit into the one around it")
        yield kind, begin + head, begin + length
        begin += length
        count += 1


def _inside(data: bytes, box: Box | None, *kinds: bytes) -> Box | None:
    """The first box along a path of kinds within `box`."""
    for kind in kinds:
        if box is None:
            return None
        box = next((found for found in _boxes(data, box[1], box[2]) if found[0] == kind), None)
    return box


def _video(path: Path, moov: bytes) -> Mp4Video | None:
    whole: Box = (b"moov", 0, len(moov))
    if _inside(moov, whole, b"mvex") is not None:
        return None  # in fragments: its table is not in one piece
    for track in _boxes(moov, 0, len(moov)):
        handler = _inside(moov, track, b"mdia", b"hdlr") if track[0] == b"trak" else None
        if handler is None or moov[handler[1] + 8 : handler[1] + 12] != b"vide":
            continue
        header = _inside(moov, track, b"mdia", b"mdhd")
        table = _inside(moov, track, b"mdia", b"minf", b"stbl")
        if header is None or table is None:
            raise ValueError("a track without its tables")
        wide = moov[header[1]] == 1
        timescale = struct.unpack_from(">I", moov, header[1] + (20 if wide else 12))[0]
        return _track(moov, table, timescale, _comment(moov, whole))
    raise FilmError(f"{path} has no pictures in it: it is no film.")


def _track(moov: bytes, table: Box, timescale: int, comment: str) -> Mp4Video:
    found = {kind: (begin, end) for kind, begin, end in _boxes(moov, table[1], table[2])}
    entry = found[b"stsd"][0] + 8 if b"stsd" in found else len(moov)
    width_px, height_px = struct.unpack_from(">HH", moov, entry + 32)
    sizes = _sizes(moov, *found[b"stsz"]) if b"stsz" in found else np.zeros(0, np.int64)
    if b"stts" not in found or b"stsc" not in found:
        raise ValueError("a track without times or chunks")
    times = _table(moov, *found[b"stts"], ">u4", 2)
    if len(times) == 0 or int(times[:, 0].sum()) != len(sizes):
        raise ValueError("as many times as frames are wanted")
    duration = int((times[:, 0] * times[:, 1]).sum())
    chunks = (
        _table(moov, *found[b"co64"], ">u8", 1)
        if b"co64" in found
        else _table(moov, *found[b"stco"], ">u4", 1)
    )[:, 0]
    offsets = _offsets(sizes, chunks, _table(moov, *found[b"stsc"], ">u4", 3))
    codec = moov[entry + 4 : entry + 8].decode("latin-1")
    fps = Fraction(len(sizes) * timescale, duration)
    return Mp4Video(codec, width_px, height_px, fps, offsets, sizes, comment)


def _table(moov: bytes, begin: int, end: int, kind: str, columns: int) -> NDArray[np.int64]:
    count = struct.unpack_from(">I", moov, begin + 4)[0]
    width = np.dtype(kind).itemsize * columns
    if count > _MAX_SAMPLES or begin + 8 + count * width > end:
        raise ValueError("a table longer than its box")
    values = np.frombuffer(moov, kind, count * columns, begin + 8)
    return values.astype(np.int64).reshape(count, columns)


def _sizes(moov: bytes, begin: int, end: int) -> NDArray[np.int64]:
    uniform, count = struct.unpack_from(">II", moov, begin + 4)
    if count > _MAX_SAMPLES:
        raise ValueError("too many frames")
    if uniform:
        return np.full(count, uniform, np.int64)
    if begin + 12 + 4 * count > end:
        raise ValueError("a table longer than its box")
    return np.frombuffer(moov, ">u4", count, begin + 12).astype(np.int64)


def _offsets(
    sizes: NDArray[np.int64], chunks: NDArray[np.int64], runs: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Where each sample begins: chunks hold samples back to back, runs say how many from which
    chunk (1-based) on."""
    bounds = np.append(runs[:, 0] - 1, len(chunks))
    lengths = np.diff(bounds)
    if len(runs) == 0 or bounds[0] != 0 or (lengths < 0).any():
        raise ValueError("runs of chunks out of order")
    per_chunk = np.repeat(runs[:, 1], lengths)
    if int(per_chunk.sum()) != len(sizes):
        raise ValueError("as many frames in the chunks as in the table are wanted")
    first = np.cumsum(per_chunk) - per_chunk  # first sample of each chunk
    before = np.cumsum(sizes) - sizes  # bytes of all samples before each
    chunk_of = np.repeat(np.arange(len(chunks)), per_chunk)
    offsets: NDArray[np.int64] = chunks[chunk_of] + before - before[first[chunk_of]]
    return offsets


def _comment(moov: bytes, whole: Box) -> str:
    meta = _inside(moov, whole, b"udta", b"meta")
    if meta is not None:  # a full box: four bytes of version and flags come before what it holds
        text = _inside(moov, (b"meta", meta[1] + 4, meta[2]), b"ilst", b"\xa9cmt", b"data")
        head = 8  # kind and language of what follows
    else:  # QuickTime's own way
        text, head = _inside(moov, whole, b"udta", b"\xa9cmt"), 4
    if text is None or text[2] - text[1] > _MAX_COMMENT_BYTES:
        return ""
    return moov[text[1] + head : text[2]].decode("utf-8", errors="replace")


def _lies_within(path: Path, video: Mp4Video, size_bytes: int) -> None:
    if video.frames == 0:
        raise FilmError(f"{path} has no frames; export it again.")
    ends = video.offsets + video.sizes
    beyond = np.flatnonzero((ends > size_bytes) | (video.sizes <= 0) | (video.offsets < 8))
    if len(beyond):
        raise FilmError(
            f"{path} is cut short: frame {int(beyond[0])} of {video.frames} does not lie within "
            "the file; export it again or copy it anew."
        )


def look_at_frames(path: Path, video: Mp4Video) -> None:
    """Look at frames of an exported film spread over the file, the first and the last among them.

    In H.264 and HEVC their parts must add up to their size; no frame begins with zeros alone. A
    disk that lost what was written last shows so. Raises FilmError.
    """
    try:
        with path.open("rb") as file:
            for index in np.unique(np.linspace(0, video.frames - 1, _PROBES).astype(int)):
                at, size = int(video.offsets[index]), int(video.sizes[index])
                if not _is_picture(file, at, at + size, in_parts=video.codec in _NAL_CODECS):
                    raise FilmError(
                        f"{path} is damaged: its frame {index} holds no picture; export it again "
                        "or copy it anew."
                    )
    except OSError as fault:
        raise FilmError(f"{path} cannot be read: {fault.strerror or fault}.") from fault


def _is_picture(file: BinaryIO, at: int, end: int, *, in_parts: bool) -> bool:
    if not in_parts:
        file.seek(at)
        return any(file.read(min(32, end - at)))
    parts = 0
    while at < end and parts < _MAX_BOXES:
        file.seek(at)
        length = int.from_bytes(file.read(4), "big")  # `export` writes lengths of four bytes
        if length == 0:
            return False
        at += 4 + length
        parts += 1
    return at == end
