"""What an export did, as figures and as a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ExportReport:
    """films, skipped: ballad ids made now, and those whose film stood already; press: other files
    made. frames: rendered now. seconds: from the first picture to the end, checks and joining
    included; engine_seconds: of these, spent in the engine. worst_psnr_db: of pictures that were
    compared with the engine's, None when there were none. codec: the encoder and its settings.
    stopped: ended when asked to, before everything was done.
    """

    films: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    press: tuple[str, ...] = ()
    frames: int = 0
    seconds: float = 0.0
    engine_seconds: float = 0.0
    worst_psnr_db: float | None = None
    codec: str = ""
    engine: str = ""
    folder: str = ""
    stopped: bool = False

    @property
    def fps(self) -> float:
        """Pictures a second, all in all."""
        return self.frames / self.seconds if self.seconds else 0.0

    @property
    def engine_fps(self) -> float:
        """Pictures a second of the engine alone, in the same run."""
        return self.frames / self.engine_seconds if self.engine_seconds else 0.0

    @property
    def ratio(self) -> float:
        """fps as a share of engine_fps, 0 to 1; 1 when nothing was rendered."""
        return self.engine_seconds / self.seconds if self.seconds and self.frames else 1.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        rates = {"fps": self.fps, "engine_fps": self.engine_fps, "ratio": self.ratio}
        return {**asdict(self), **rates}

    def sentence(self) -> str:
        """For the person who started it."""
        kept = f" {_films(len(self.skipped))} stood already." if self.skipped else ""
        if self.stopped:
            return (
                f"Stopped after {self.frames} frames; finished parts are kept in {self.folder}, "
                "and the same command goes on from there."
            )
        if not self.frames and not self.films:
            return f"Nothing was left to render in {self.folder}.{kept}"
        checked = (
            ""
            if self.worst_psnr_db is None
            else f" Compared with the engine's pictures: {self.worst_psnr_db:.1f} dB at the least."
        )
        films = (_films(len(self.films)),) if self.films else ()
        made = " and ".join([*films, *self.press]) or "a share of the films"
        return (
            f"Made {made} in {self.folder}: {self.frames} frames in {self.seconds:.1f} s, "
            f"{self.fps:.0f} a second with {self.codec.partition(' ')[0]}, "
            f"{self.ratio:.0%} of the engine's own {self.engine_fps:.0f}.{checked}{kept}"
        )


def _films(count: int) -> str:
    return f"{count} film" if count == 1 else f"{count} films"
