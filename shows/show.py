"""A show as it stands in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shows.generator_file import playable_file
from shows.latent_set import LatentSet
from shows.schema import Ballad, ShowError, ShowSettings


@dataclass(frozen=True, eq=False)
class Show:
    """Settings, ballads in show order, and their latent sets by ballad id (empty if not loaded).

    warnings: sentences on what is odd but can be played; nothing here stops a show.
    """

    folder: Path
    settings: ShowSettings
    ballads: tuple[Ballad, ...]
    latents: Mapping[str, LatentSet]
    warnings: tuple[str, ...] = ()

    @property
    def ballad_ids(self) -> tuple[str, ...]:
        """The ids of the ballads, in show order."""
        return tuple(ballad.id for ballad in self.ballads)

    @property
    def segment_frames(self) -> int:
        """Frames from one painting to the next: its noise loop and the morph after it."""
        settings = self.settings
        return settings.stops * settings.frames_per_stop + settings.morph_frames

    @property
    def generator_path(self) -> Path:
        """The generator's file, or what was made of it to be played."""
        return playable_file(self.folder / self.settings.generator)

    def ballad(self, ballad_id: str) -> Ballad:
        """The ballad with this id; raises ShowError."""
        for ballad in self.ballads:
            if ballad.id == ballad_id:
                return ballad
        known = ", ".join(self.ballad_ids)
        raise ShowError(f"The show has no ballad {ballad_id[:80]!r}; it has: {known}.")

    def cycle_frames(self, ballad_id: str) -> int:
        """Frames until the ballad is back at its first painting; raises ShowError."""
        return len(self.ballad(ballad_id).paintings) * self.segment_frames

    def ballad_folder(self, ballad_id: str) -> Path:
        """The folder of a ballad's files."""
        return self.folder / "ballads" / ballad_id

    def painting_path(self, ballad_id: str, painting_index: int) -> Path:
        """The file of a painting (0-based); raises ShowError, IndexError."""
        return self.ballad_folder(ballad_id) / self.ballad(ballad_id).paintings[painting_index].file

    def latents_path(self, ballad_id: str) -> Path:
        """The file of a ballad's latent set."""
        return self.ballad_folder(ballad_id) / "latents.safetensors"


def groups_of(show: Show) -> dict[str, tuple[int, ...]]:
    """The screens (from 0) of each group."""
    names = [screen.name.casefold() for screen in show.settings.screens]
    return {
        group: tuple(names.index(name.casefold()) for name in named)
        for group, named in show.settings.groups.items()
    }
