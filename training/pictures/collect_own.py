"""Pictures that one already has, taken into a collection with a row each."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from training.errors import TrainingError
from training.pictures.collect_folder import Collection
from training.pictures.collect_http import UnfitError
from training.pictures.collect_search import ALREADY_THERE, KEPT
from training.pictures.collect_words import guarded, one_line
from training.pictures.download import Facts, examine
from training.pictures.licence_words import short_name
from training.pictures.provenance import Provenance

MOST_STEM = 40  # letters


@dataclass(frozen=True)
class Owned:
    """What is said by hand of every picture of a folder; licence_url: or `licences.OWN`."""

    licence_url: str
    owner: str


def take_own(
    collection: Collection, source: Path, owned: Owned, min_size: int
) -> tuple[Counter[str], list[str]]:
    """Copy the folder's pictures, those in folders of it too; hidden files are passed over.

    Returns how many files came to which end, and a line for each file left out. Raises
    TrainingError if there is no such folder or the collection is part of it.
    """
    if not source.is_dir():
        raise TrainingError(f"--from {source}: there is no such folder.")
    inner, outer = collection.folder.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise TrainingError(
            f"--from {source}: it and {collection.folder} lie one in the other; collect into "
            "another folder."
        )
    counts: Counter[str] = Counter()
    left_out: list[str] = []
    for path in tqdm(_visible_files(source), unit="file", desc="collect"):
        try:
            counts[KEPT if _take(collection, path, owned, min_size) else ALREADY_THERE] += 1
        except UnfitError as fault:
            counts[fault.reason] += 1
            left_out.append(f"{path.relative_to(source)}: {fault.reason} ({fault})")
    return counts, left_out


def own_name(stem: str, sha256: str) -> str:
    """A file name of plain letters for a picture: what it was called, and of its content."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:MOST_STEM].rstrip("-")
    return f"{slug or 'picture'}-{sha256[:12]}"


def _take(collection: Collection, path: Path, owned: Owned, min_size: int) -> bool:
    """False if it was there already. Raises UnfitError, OSError."""
    facts = examine(path)
    if min(facts.width, facts.height) < min_size:
        raise UnfitError("too small", f"{facts.width}x{facts.height} pixels")
    name = own_name(path.stem, facts.sha256)
    if collection.held(name):
        return False
    part = collection.part(name)
    shutil.copyfile(path, part)
    collection.add(part, _row(name, path, facts, owned))
    return True


def _row(name: str, path: Path, facts: Facts, owned: Owned) -> Provenance:
    return Provenance(
        file=name + facts.suffix,
        id=facts.sha256[:12],
        owner=guarded(one_line(owned.owner)),
        title=guarded(one_line(path.stem)),
        licence=short_name(owned.licence_url),
        licence_url=owned.licence_url,
        source_url="",
        page_url="",
        date="",
        width=facts.width,
        height=facts.height,
        sha256=facts.sha256,
    )


def _visible_files(source: Path) -> list[Path]:
    return sorted(
        path
        for path in source.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(source).parts)
        and path.is_file()
    )
