"""One film, open: any frame of it exactly, and the next one at the price of decoding it.

Only the file itself is ever read: containers that could name other files or addresses (playlists,
image sequences) are not opened at all.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from player.films.film_colour import colour_of
from player.films.film_facts import FilmError, FilmFacts, facts_of

FFMPEG = f"FFmpeg {av.ffmpeg_version_info}"
MAX_FRAMES = 1 << 24  # whole numbers up to here are exact in float32, in which they are asked for
MAX_SIDE_PX = 8192
MAX_SHAPE = 8  # the longer side over the shorter one
_CONTAINERS = "mov,mp4,matroska,webm,avi,mpegts,mxf"
_KEPT = 4  # decoded frames kept for an index asked for again
_SEEK = 4  # frames that are decoded in the time of a seek
_NEAR = 15  # frames ahead that are decoded on to where no table of keyframes says better
_BACK_S = (0.0, 2.0, 10.0, None)  # where a seek begins before its target; None: at the start

_EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class FilmReader:
    """A film for reading. Use from one thread at a time.

    frames: how many, 1 to MAX_FRAMES. fps: of the file; it plays no part in which frame is read.
    facts: what `export` wrote into it, None for a film made elsewhere. colour: matrix and range
    that its pictures are read by, and whether the file says so. decoded_by: "software", or the
    hardware that was asked for and can do it.
    """

    frames: int
    fps: Fraction
    width_px: int
    height_px: int
    facts: FilmFacts | None
    colour: str
    codec: str
    decoded_by: str

    def __init__(
        self,
        path: Path,
        size_px: tuple[int, int] | None = None,
        threads: int = 1,
        hardware: str | None = None,
        exact: bool = True,
    ) -> None:
        """size_px: (width, height) of the pictures read, None for the film's own; of a film of
        another shape the middle is taken. hardware: a device type of FFmpeg ("cuda"), which is
        left where it cannot decode this film. exact False: 4:2:0 becomes RGBA ten times as fast,
        1 level too dark on average and with blockier colour (40 dB instead of 44 dB on a picture
        made to show it). Raises FilmError naming the file.
        """
        self.path = path
        self._flags = _EXACT if exact else Interpolation(0)
        self._container: Any = None
        self._frames: Iterator[Any] | None = None  # the decoder's, where it stands; None: lost
        self._stash: tuple[int, Any] | None = None  # decoded, and not yet reached
        self._recent: deque[tuple[int, Any]] = deque(maxlen=_KEPT)
        self._held: Any = None
        self._reformatter = VideoReformatter()
        try:
            self._open(threads, hardware)
        except FilmError:
            self.close()
            raise
        except (av.FFmpegError, OSError, ValueError, OverflowError, MemoryError) as fault:
            self.close()
            raise FilmError(f"{path} cannot be opened as a film: {_said(fault)}.") from fault
        self.size_px = size_px or (self.width_px, self.height_px)

    def _open(self, threads: int, hardware: str | None) -> None:
        if not self.path.is_file():
            kind = "a folder" if self.path.is_dir() else "not there"
            raise FilmError(f"{self.path} cannot be opened as a film: it is {kind}.")
        self._container = self._opened(hardware)
        if not self._container.streams.video:
            raise FilmError(f"{self.path} has no pictures in it: it is no film.")
        self._stream = self._container.streams.video[0]
        context = self._stream.codec_context
        if context is None:
            raise FilmError(f"{self.path} is of a codec that this build of FFmpeg does not know.")
        self.width_px, self.height_px = int(context.width), int(context.height)
        if not (1 <= self.width_px <= MAX_SIDE_PX and 1 <= self.height_px <= MAX_SIDE_PX):
            raise FilmError(
                f"{self.path} says it is {self.width_px} x {self.height_px} pixels large; "
                f"1 to {MAX_SIDE_PX} a side can be played."
            )
        if max(self.width_px, self.height_px) > MAX_SHAPE * min(self.width_px, self.height_px):
            raise FilmError(
                f"{self.path} is {self.width_px} x {self.height_px} pixels large: too narrow to be "
                "shown."
            )
        context.thread_type = "SLICE"  # threads over frames would delay each by their number
        context.thread_count = threads
        self.facts = facts_of(self._container.metadata.get("comment", ""))
        if self.facts is not None:
            # Rather no picture than one with concealed damage: another source shows the right one.
            # Not for films made elsewhere: their open groups of pictures count as damage at a seek.
            context.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
        self.codec = str(context.name)
        self.decoded_by = hardware if hardware and context.is_hwaccel else "software"
        self.fps = Fraction(self._stream.average_rate or self._stream.guessed_rate or 0)
        if self.fps <= 0 or not self._stream.time_base:
            raise FilmError(f"{self.path} does not say how many frames a second it has.")
        self._start = int(self._stream.start_time or 0)
        self._ticks = 1 / (self.fps * self._stream.time_base)  # of the stream's clock, a frame
        self.frames = self._count()
        if not 1 <= self.frames <= MAX_FRAMES:
            raise FilmError(
                f"{self.path} has {self.frames} frames; 1 to {MAX_FRAMES} can be played."
            )
        self._keys = self._key_frames()
        self._colour = colour_of(
            int(context.colorspace), int(context.color_range), str(context.pix_fmt), self.height_px
        )
        self.colour = str(self._colour)

    def _opened(self, hardware: str | None) -> Any:
        name = str(self.path.resolve())
        options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
        if hardware:
            try:
                device = HWAccel(hardware, allow_software_fallback=True)
                return av.open(name, options=options, hwaccel=device, metadata_errors="replace")
            except (av.FFmpegError, OSError, ValueError):
                pass  # no such device here, or it is gone: without it, then
        return av.open(name, options=options, metadata_errors="replace")

    def _count(self) -> int:
        if self._stream.frames > 0:
            return int(self._stream.frames)
        seconds = 0.0
        if self._stream.duration:
            seconds = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration:
            seconds = self._container.duration / 1_000_000
        if seconds > 0:
            return round(seconds * self.fps)
        return sum(packet.size > 0 for packet in self._container.demux(self._stream))

    def _key_frames(self) -> list[int]:
        entries = self._stream.index_entries
        if not 0 < len(entries) <= MAX_FRAMES:
            return []
        first = entries[0].timestamp
        ticks = float(self._ticks)
        return sorted(round((e.timestamp - first) / ticks) for e in entries if e.is_keyframe)

    def read(self, index: int, out: NDArray[np.uint8]) -> None:
        """Frame `index` (modulo `frames`) as RGBA, full range, into out [H, W, 4] of `size_px`.

        Raises FilmError; then `out` is as it was, and the next read begins with a seek.
        """
        self.hold(index)
        self.write(out)

    def hold(self, index: int) -> None:
        """Have frame `index` decoded, for `write`: the part of `read` that waits for the disk."""
        try:
            self._held = self._frame(index % self.frames)
        except (av.FFmpegError, OSError, ValueError, MemoryError) as fault:
            self._lose()
            where = f"{self.path} cannot be read at frame {index % self.frames}"
            raise FilmError(f"{where}: {_said(fault)}.") from fault
        except FilmError:
            self._lose()
            raise

    def write(self, out: NDArray[np.uint8]) -> None:
        """The held frame into out [H, W, 4]. Raises FilmError if it cannot be converted."""
        width, height = self.size_px
        if out.shape != (height, width, 4):
            raise ValueError(f"out is {out.shape} for pictures of {width} x {height} pixels")
        frame = self._held
        scale = max(width / frame.width, height / frame.height)
        across = max(width, round(frame.width * scale))
        down = max(height, round(frame.height * scale))
        same = (across, down) == (frame.width, frame.height)
        try:
            drawn = self._reformatter.reformat(
                frame,
                width=across,
                height=down,
                format="rgba",
                src_colorspace=self._colour.matrix,
                dst_colorspace=Colorspace.DEFAULT,
                interpolation=self._flags
                | (Interpolation.BILINEAR if same else Interpolation.BICUBIC),
                src_color_range=ColorRange.JPEG if self._colour.is_full else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                threads=1,
            )
        except (av.FFmpegError, OSError, ValueError, MemoryError) as fault:
            raise FilmError(
                f"{self.path} has pictures that cannot be drawn: {_said(fault)}."
            ) from fault
        plane: Any = drawn.planes[0]
        pixels = np.ndarray((down, across, 4), np.uint8, plane, strides=(plane.line_size, 4, 1))
        top, left = (down - height) // 2, (across - width) // 2
        out[...] = pixels[top : top + height, left : left + width]
        if any(component.is_alpha for component in frame.format.components):
            out[..., 3] = 255

    @property
    def position(self) -> int | None:
        """The last frame decoded; None after opening or an error, when the next read seeks."""
        if self._frames is None or not self._recent:
            return None
        return self._recent[-1][0]

    def cost(self, index: int) -> int:
        """Frames to be decoded for frame `index`, by the file's table of keyframes; 0: at hand."""
        target = index % self.frames
        if self._at_hand(target) is not None:
            return 0
        position = self.position
        if position is not None and self._decodes_on_to(target):
            return target - position
        return _SEEK + 1 + target - (self._key_before(target) or 0)

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._lose()
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _frame(self, target: int) -> Any:
        found = self._at_hand(target)
        if found is not None:
            return found
        if self._decodes_on_to(target):
            found = self._decode_to(target)
        else:
            found = None
            for back_s in _BACK_S:
                self._seek(target, back_s)
                found = self._decode_to(target)
                if found is not None:
                    break
        if found is None:
            raise FilmError(f"{self.path} has no picture for its frame {target}.")
        if found.is_corrupt:
            raise FilmError(f"{self.path} is damaged at frame {target}.")
        return found

    def _at_hand(self, target: int) -> Any:
        """A decoded frame that stands at `target`; a frame lasts until the next one begins."""
        upper = self._stash[0] if self._stash else -1
        for index, frame in reversed(self._recent):
            if index == target or index < target < upper:
                return frame
            upper = index
        return None

    def _decodes_on_to(self, target: int) -> bool:
        position = self.position
        if position is None or target <= position:
            return False
        key = self._key_before(target)
        return key <= position + _SEEK if key is not None else target - position <= _NEAR

    def _key_before(self, target: int) -> int | None:
        place = bisect.bisect_right(self._keys, target)
        return self._keys[place - 1] if place else None

    def _seek(self, target: int, back_s: float | None) -> None:
        self._lose()
        if back_s is None:
            ticks = self._start
        else:
            frames = max(0, target - math.ceil(back_s * self.fps))
            ticks = self._start + round(frames * self._ticks)
        self._container.seek(ticks, stream=self._stream, backward=True)
        self._frames = self._container.decode(self._stream)

    def _decode_to(self, target: int) -> Any:
        """The frame at `target`; None if the decoder had passed it already."""
        while True:
            index, frame = self._next()
            if frame is None:  # the end: what a container counts too many is the last picture
                return self._recent[-1][1] if self._recent and target < self.frames else None
            if index > target:
                self._stash = (index, frame)
                return self._recent[-1][1] if self._recent else None
            self._recent.append((index, frame))
            if index == target:
                return frame

    def _next(self) -> tuple[int, Any]:
        if self._stash is not None:
            stashed, self._stash = self._stash, None
            return stashed
        assert self._frames is not None
        frame = next(self._frames, None)
        if frame is None:
            return 0, None
        if frame.pts is None:
            last = self._recent[-1][0] if self._recent else -1
            return last + 1, frame
        return round((frame.pts - self._start) / self._ticks), frame

    def _lose(self) -> None:
        self._frames, self._stash, self._held = None, None, None
        self._recent.clear()


def _said(fault: BaseException) -> str:
    text = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
    return str(text).strip().rstrip(".")
