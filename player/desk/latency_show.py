"""A show whose stills tell by their colour which one is shown, for measuring when it is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shows.schema import Ballad, Painting, Screen, ShowSettings
from shows.show_file import save_ballad, save_settings

STILLS = 8
# Beside no multiple of what the player and the desk do in turns, so that every phase comes up.
STILL_FRAMES = 19
_PAINTINGS = "paintings"


def make_coded_show(folder: Path, screens: int) -> None:
    """All screens show the same still, for STILL_FRAMES each, cut from one to the next.

    For `--mode slate`: there are neither latents nor a generator.
    """
    ballad = Ballad(
        id="code",
        title="Code",
        paintings=tuple(
            Painting(id=f"still-{code}", line=str(code), file=f"{_PAINTINGS}/{code}.ppm")
            for code in range(STILLS)
        ),
    )
    pictures = folder / "ballads" / ballad.id / _PAINTINGS
    pictures.mkdir(parents=True)
    for code in range(STILLS):
        (pictures / f"{code}.ppm").write_bytes(b"P6 1 1 255\n" + bytes(colour_of(code)))
    save_ballad(folder, ballad)
    settings = ShowSettings(
        schema_version=1,
        title="Coded pictures",
        stops=1,
        frames_per_stop=STILL_FRAMES,
        morph_frames=0,
        ballads=(ballad.id,),
        screens=tuple(
            Screen(name=f"screen-{number}", ballad=ballad.id) for number in range(1, screens + 1)
        ),
        groups={},
    )
    save_settings(folder, settings)


def colour_of(code: int) -> tuple[int, int, int]:
    """Dark or light in each channel, so that no JPEG can make another code of it."""
    red, green, blue = (220 if code >> bit & 1 else 35 for bit in range(3))
    return red, green, blue


def code_of(picture: NDArray[np.uint8]) -> int:
    """picture: [H, W, 3 or 4]; its middle counts."""
    middle = picture[picture.shape[0] // 2, picture.shape[1] // 2]
    return sum(int(middle[bit] > 127) << bit for bit in range(3))
