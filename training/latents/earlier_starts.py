"""Where `project --from-old` begins: the ws of an earlier model, for every painting it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from generator.networks import Generator
from shows.schema import Ballad
from shows.show import Show
from training.latents.latents_from import Earlier, find_files, other_model, read_earlier
from training.latents.projection_file import projection_path

# the projection itself goes before what was chosen around it
SETS = ("projection.safetensors", "latents.safetensors")
WORD = "earlier w"


@dataclass(frozen=True, eq=False)
class EarlierStart:
    """Of one ballad. ws: by painting id; one without begins at the mean w. in_place: they are read
    from the very file that the new projection replaces."""

    ws: dict[str, Earlier]
    in_place: bool

    @property
    def words(self) -> str:
        """For the record: the model, and a hash of the numbers."""
        digest = sha256()
        for painting_id, each in self.ws.items():
            digest.update(painting_id.encode() + each.layers.tobytes())
        model = next(iter(self.ws.values())).generator_hash or "an unknown generator"
        return f"{WORD} of {model[:12]} ({digest.hexdigest()[:12]})"


def earlier_starts(
    show: Show, ballads: Sequence[Ballad], path: Path, generator: Generator, digest: str
) -> dict[str, EarlierStart]:
    """By ballad id; a ballad that the files have nothing for is left out. Says what a person must
    know of models and gaps. digest: content hash of the generator. Raises TrainingError."""
    files = find_files([path], ballads, SETS)
    starts: dict[str, EarlierStart] = {}
    for ballad in ballads:
        if ballad.id not in files:
            print(f"{ballad.id}: {path} has nothing for it; it is left as it is.")
            continue
        found = read_earlier(ballad, files[ballad.id], generator)
        first = files[ballad.id][0]
        missing = [name for name in ballad.painting_ids if name not in found]
        if missing:
            print(f"{ballad.id}: {first} lacks {', '.join(missing)}: the mean w for these.")
        if not found:
            continue
        other = other_model(list(found.values()), digest)
        if other is not None:
            print(
                f"amber: {ballad.id} begins at ws of the generator {other[:12]} and is projected "
                f"into {show.settings.generator}, which is {digest[:12]}."
            )
        own = projection_path(show, ballad.id)
        starts[ballad.id] = EarlierStart(found, own.exists() and first.samefile(own))
    return starts
