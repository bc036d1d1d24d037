"""Live pictures as a screen needs them: every frame, or every second or third mixed with the next.

With a stride above 1 only every second or third frame, a *key*, is asked of the engine. A frame
between two keys is both of them, mixed in linear light by the wall.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.frame_source import FrameSource, Pictures, SourceStatus
from player.governor import Governor, Measured, describe, governed
from player.reload.morph import Editions, Share, mixed_latents
from player.transport import Transport, frame_at, tuning_at
from shows.show import Show
from shows.timeline import Cues, Tuning

# Frames asked of the sources ahead of the one on show: what jitter they may have. On two cores 2 of
# 4 runs repeated 1.1 % with 4; none of 3 with 6. A command waits for none of them: what it changes
# is asked for again.
LOOKAHEAD_FRAMES = 6

_log = logging.getLogger(__name__)

TransportAt = Callable[[int], Transport]
Event = Callable[[str, str], None]
"""(kind, sentence) for the journal."""


@dataclass(frozen=True)
class Key:
    """Live pictures and their share of live's light. name: of the textures they are uploaded to,
    which the other key of the same frame does not use."""

    name: str
    pictures: Pictures
    share: float


@dataclass(frozen=True, eq=False)
class _Asked:
    """A key as it was asked of the engine: of what, how large, and the latents of the screens."""

    shares: tuple[tuple[Share, Tuning], ...]
    side_px: int
    latents: tuple[NDArray[np.float32], ...]


class LiveKeys:
    """Asks the engine ahead at the quality that the governor allows, and mixes what it made."""

    def __init__(
        self, show: Show, screens: tuple[int, ...], live: FrameSource, side_px: int, event: Event
    ) -> None:
        """side_px: of live's full pictures."""
        self._editions = Editions(show)
        self._screens, self._live = screens, live
        self._side_px, self._event = side_px, event
        self._frame_ms = float(1000 / show.settings.fps)
        self._governor = Governor.opening()
        self._asked: dict[int, _Asked] = {}

    @property
    def governor(self) -> Governor:
        """What quality the deadline allows now."""
        return self._governor

    def status(self) -> SourceStatus:
        return self._live.status()

    def tend(self, now_ns: int) -> None:
        self._live.tend(now_ns)

    def take_over(self, editions: Editions) -> None:
        """The show was read anew."""
        self._editions = editions

    def ask_ahead(self, tick: int, transport_at: TransportAt) -> None:
        """Ask for this tick's keys and the next ones, again where something has changed them."""
        level = self._governor.level
        side_px = 0 if level.divisor == 1 else self._side_px // level.divisor
        wanted: dict[int, tuple[tuple[Share, Tuning], ...]] = {}
        for ahead in range(LOOKAHEAD_FRAMES + 1):
            transport = transport_at(tick + ahead)
            for key in keys_of(frame_at(transport, tick + ahead), level.stride):
                if key not in wanted:
                    wanted[key] = self._shares(transport, key)
        first = next(iter(wanted))
        self._live.play(first)
        # what a pause leaves unasked for stays made
        kept = range(first, first + LOOKAHEAD_FRAMES + level.stride + 1)
        self._asked = {key: asked for key, asked in self._asked.items() if key in kept}
        for key, shares in wanted.items():
            before = self._asked.get(key)
            if before is None or (before.shares, before.side_px) != (shares, side_px):
                self._ask(key, shares, side_px, before)

    def _shares(self, transport: Transport, key: int) -> tuple[tuple[Share, Tuning], ...]:
        return tuple(
            (
                Share(one.show, begun_cues(one.cues, key), one.weight),
                tuning_at(one.show, transport, key),
            )
            for one in self._editions.shares(transport.cues, key)
        )

    def _ask(
        self,
        key: int,
        shares: tuple[tuple[Share, Tuning], ...],
        side_px: int,
        before: _Asked | None,
    ) -> None:
        """What changes no picture, such as a title read anew, is not asked of the engine again."""
        latents = tuple(mixed_latents(shares, screen, key) for screen in self._screens)
        self._asked[key] = _Asked(shares, side_px, latents)
        if before is not None and before.side_px == side_px:
            pairs = zip(before.latents, latents, strict=True)
            if all(np.array_equal(old, new) for old, new in pairs):
                return
        self._live.request(key, list(latents), side_px or None)

    def found(self, frame: int) -> tuple[tuple[Key, ...], int | None]:
        """What there is for a frame, and by how many frames it is older; None: there is nothing."""
        stride = self._governor.level.stride
        keys = keys_of(frame, stride)
        found = [self._live.pictures(key) for key in keys]
        exact = [p for p, key in zip(found, keys, strict=True) if p is not None and p.frame == key]
        if len(exact) == len(keys):
            later = (frame - keys[0]) / stride
            shares = (1.0,) if len(keys) == 1 else (1.0 - later, later)
            return tuple(
                Key(_texture(one.frame, stride), one, share)
                for one, share in zip(exact, shares, strict=True)
            ), 0
        older = [one for one in found if one is not None and one.frame <= frame]
        if not older:
            return (), None
        newest = max(older, key=lambda one: one.frame)
        return (Key(_texture(newest.frame, stride), newest, 1.0),), max(1, frame - newest.frame)

    def govern(self, *, missed: bool, has_film: bool) -> None:
        """One tick of the governor. missed: the pictures due were not there."""
        status, before = self._live.status(), self._governor
        self._governor = governed(
            before,
            Measured(
                frame_ms=self._frame_ms,
                render_ms=status.render_ms,
                missed=missed,
                ready=status.state == "ready",
                can_halve=self._side_px // 2 in status.early_sides_px,
                has_film=has_film,
            ),
        )
        if self._governor.level != before.level:
            sentence = f"Quality: {describe(self._governor.level)}. {self._governor.reason}"
            _log.info("%s", sentence)
            self._event("governor", sentence)

    def describe(self) -> list[str]:
        """For the operator, part by part."""
        status = self._live.status()
        engine = f" ({status.engine})" if status.engine else ""
        return [
            f"engine {status.state}: {status.detail}{engine}",
            f"quality: {describe(self._governor.level)}",
            f"worker restarts {status.restarts}",
        ]


def keys_of(frame: int, stride: int) -> tuple[int, ...]:
    """The frames that must be made to show this one: itself, or the two keys around it."""
    first = frame - frame % stride
    return (first,) if first == frame else (first, first + stride)


def begun_cues(cues: Cues, frame: int) -> Cues:
    """Without the changes of ballad that do not show on this frame yet; the first of each stays."""
    return tuple(
        screen_cues[:1] + tuple(cue for cue in screen_cues[1:] if cue.progress(frame) > 0)
        for screen_cues in cues
    )


def _texture(key: int, stride: int) -> str:
    return f"live {key // stride % 2}" if stride > 1 else "live 0"
