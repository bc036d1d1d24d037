"""The paintings themselves as stills, for when there is neither a live picture nor a film."""

from __future__ import annotations

import colorsys
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.frame_source import Pictures, SourceState, SourceStatus
from shows.picture_file import PictureError, parse_colour, read_square
from shows.schema import Painting, ShowError
from shows.show import Show

PaintingKey = tuple[str, int]  # ballad id, 0-based index of the painting
Picture = tuple[object, ...]  # all that decides a still: the painting's file as it was, its crop


class SlateSource:
    """Stills [size_px, size_px] of a show's paintings; one that cannot be read becomes a card.

    Reading one takes some 30 ms, and 4 * size_px**2 bytes are kept of it. What is asked for before
    the reader has come to it is read then.
    """

    name = "slate"

    def __init__(self, show: Show, size_px: int) -> None:
        self._show = show
        self._size_px = size_px
        self._stills: dict[PaintingKey, NDArray[np.uint8]] = {}
        self._faults: dict[PaintingKey, str] = {}
        self._read: dict[Picture, NDArray[np.uint8]] = {}
        self._carried: dict[Picture, NDArray[np.uint8]] = {}  # read by the one before
        self._handed: tuple[PaintingKey, ...] = ()  # distinct, as in the pixels last handed out
        self._pixels = np.zeros((0, size_px, size_px, 4), np.uint8)
        self._serial = 0
        self._reader: threading.Thread | None = None
        self._closing = False

    @property
    def faults(self) -> tuple[str, ...]:
        """A sentence for each painting read so far that is replaced by a card."""
        return tuple(self._faults[key] for key in sorted(self._faults))

    def start(self, first: Sequence[PaintingKey] | None = None) -> None:
        """Read all paintings; or those named at once, and the rest in a thread of its own."""
        for key in self._all() if first is None else first:
            self._still(key)
        if first is None:
            self._carried = {}
        else:
            self._reader = threading.Thread(target=self._read_rest, daemon=True)
            self._reader.start()

    def followed_by(self, show: Show) -> SlateSource:
        """The stills of a show that was read anew, not started; a picture that is here already is
        not read again. May be called from another thread."""
        following = SlateSource(show, self._size_px)
        following._carried = dict(self._read)
        return following

    def pictures_for(self, keys: Sequence[PaintingKey], frame: int = 0) -> Pictures:
        """One painting per screen. The same set of distinct paintings keeps its serial."""
        distinct = tuple(dict.fromkeys(keys))
        if distinct != self._handed:
            self._pixels = np.stack([self._still(key) for key in distinct])
            self._pixels.flags.writeable = False
            self._handed = distinct
            self._serial += 1
        index = {key: number for number, key in enumerate(distinct)}
        return Pictures(frame, self._pixels, tuple(index[key] for key in keys), self._serial)

    def status(self) -> SourceStatus:
        """Always ready: there is a card for what cannot be read."""
        state: SourceState = "ready"
        return SourceStatus(state, " ".join(self.faults), "paintings", 0.0, 0)

    def close(self) -> None:
        """Ends the reading."""
        self._closing = True
        if self._reader is not None:
            self._reader.join()

    def _read_rest(self) -> None:
        for key in self._all():
            if self._closing:
                return
            self._still(key)

    def _all(self) -> list[PaintingKey]:
        return [
            (ballad.id, index)
            for ballad in self._show.ballads
            for index in range(len(ballad.paintings))
        ]

    def _still(self, key: PaintingKey) -> NDArray[np.uint8]:
        if key not in self._stills:
            ballad_id, index = key
            try:
                painting = self._show.ballad(ballad_id).paintings[index]
                path = self._show.painting_path(ballad_id, index)
                still = self._picture(path, painting)
            except (PictureError, ShowError, IndexError) as fault:
                self._faults[key] = (
                    f"Painting {index + 1} of {ballad_id} cannot be shown as a still and is "
                    f"replaced by a plain card: {fault}."
                )
                still = gradient_card(self._colour_of(ballad_id), self._size_px)
            self._stills[key] = still
        return self._stills[key]

    def _picture(self, path: Path, painting: Painting) -> NDArray[np.uint8]:
        """Raises PictureError."""
        try:
            facts = path.stat()
        except OSError:
            return read_painting(path, painting, self._size_px)  # raises what is to be said
        picture: Picture = (
            *(path, facts.st_ino, facts.st_size, facts.st_mtime_ns),
            *(painting.crop, painting.background),
        )
        if picture not in self._read:
            carried = self._carried.get(picture)
            self._read[picture] = (
                read_painting(path, painting, self._size_px) if carried is None else carried
            )
        return self._read[picture]

    def _colour_of(self, ballad_id: str) -> tuple[int, int, int]:
        known = {ballad.id: ballad.colour for ballad in self._show.ballads}
        return ballad_colour(ballad_id, known.get(ballad_id))


def read_painting(path: Path, painting: Painting, size_px: int) -> NDArray[np.uint8]:
    """A painting as RGBA [size_px, size_px, 4], opaque, just as the projector sees it.

    Raises PictureError.
    """
    still = np.full((size_px, size_px, 4), 255, np.uint8)
    still[..., :3] = read_square(path, size_px, crop=painting.crop, background=painting.background)
    return still


def gradient_card(colour: tuple[int, int, int], size_px: int) -> NDArray[np.uint8]:
    """A plain card [size_px, size_px, 4]: the colour at the top, a third of it at the bottom."""
    fall = np.linspace(1.0, 1.0 / 3.0, size_px)[:, None, None]
    card = np.full((size_px, size_px, 4), 255, np.uint8)
    card[..., :3] = np.round(np.array(colour, np.float64) * fall)
    return card


def ballad_colour(ballad_id: str, colour: str | None) -> tuple[int, int, int]:
    """The ballad's colour as 0..255, or one of medium brightness that follows from its id."""
    if colour is not None:
        return parse_colour(colour)
    hue = hashlib.sha256(ballad_id.encode()).digest()[0] / 256
    red_f, green_f, blue_f = colorsys.hsv_to_rgb(hue, 0.45, 0.7)
    return round(red_f * 255), round(green_f * 255), round(blue_f * 255)
