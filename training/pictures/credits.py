"""Write whom a model learned from: an attribution list for the wall label, as a page and as text.

Each picture is named by title, author, source and licence, in the order of the authors' names. The
list is tied to the model by its content hash, and to the set by the SHA-256 of its file.
"""

from __future__ import annotations

import argparse
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

import jinja2

from shows.atomic_file import write_atomically
from shows.generator_file import read_generator_info
from shows.schema import ShowError
from training.errors import TrainingError
from training.pictures.collect_words import one_line, unguarded
from training.pictures.download import sha256_of
from training.pictures.licence_words import conditions, short_name
from training.pictures.provenance import COLUMNS, read_table

TEMPLATE = Path(__file__).with_name("credits.html.j2")
MOST_JSON_BYTES = 1 << 30
KNOWN_BY = ("owner", "licence", "licence_url")
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
NOTICES = {
    "nc": ("NonCommercial", "Their licences do not allow commercial use."),
    "sa": ("ShareAlike", "Their licences ask that adaptations carry the same licence."),
    "nd": ("NoDerivatives", "Their licences do not allow adaptations to be shared."),
}


@dataclass(frozen=True)
class Credit:
    """One picture; what is not known is empty, and a URL is one that may be followed."""

    title: str
    owner: str
    licence: str
    licence_url: str
    source_url: str


@dataclass(frozen=True)
class Learned:
    """What a model learned from. unnamed: how many pictures have no provenance. sha256: hex, of the
    file `name`."""

    credits: tuple[Credit, ...]
    unnamed: int
    name: str
    sha256: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `credits`."""
    parser.add_argument(
        "set", type=Path, help="archive that a model learned from, or a provenance.csv"
    )
    parser.add_argument(
        "--model", type=Path, default=None, metavar="FILE", help="the generator.safetensors"
    )
    parser.add_argument(
        "--out", type=Path, default=None, metavar="FOLDER", help="default: beside the set"
    )


def run(args: argparse.Namespace) -> int:
    """Carry out `credits`; returns the exit code."""
    try:
        learned = read_learned(args.set)
        model = read_generator_info(args.model, str(args.model)).content_hash if args.model else ""
        folder = args.out or args.set.parent
        folder.mkdir(parents=True, exist_ok=True)
        page, text = folder / "credits.html", folder / "credits.txt"
        write_atomically(page, page_of(learned, model).encode())
        write_atomically(text, text_of(learned, model).encode())
    except ShowError as fault:
        raise TrainingError(str(fault)) from fault
    except OSError as fault:
        raise TrainingError(f"{fault.filename or args.set}: {fault.strerror or fault}.") from fault
    print(f"{page} and {text.name}: {summary(learned)}")
    return 0


def read_learned(path: Path) -> Learned:
    """The credits of a data set archive or of a provenance table, sorted by owner and title.

    Raises TrainingError for a file that is neither, OSError.
    """
    if not path.is_file():
        raise TrainingError(f"{path}: there is no such file.")
    if path.suffix.lower() == ".csv":
        rows: list[Mapping[str, object]] = [vars(row) for row in read_table(path).values()]
        pictures = len(rows)
    else:
        rows, pictures = _read_archive(path)
    # `prepare` gives a picture of unknown origin a row with its file's name alone
    rows = [row for row in rows if any(row.get(name) for name in KNOWN_BY)]
    found = sorted(
        map(credit_of, rows), key=lambda one: (one.owner.casefold(), one.owner, one.title)
    )
    return Learned(tuple(found), pictures - len(found), path.name, sha256_of(path))


def credit_of(row: Mapping[str, object]) -> Credit:
    """The credit of one row of a table, whatever stands in it."""
    words = {name: one_line(unguarded(str(row.get(name) or ""))) for name in COLUMNS}
    url = words["licence_url"]
    return Credit(
        title=words["title"] or "Untitled",
        owner=words["owner"] or "Author not named",
        licence=short_name(url) or words["licence"] or "licence not named",
        licence_url=_link(url),
        source_url=_link(words["page_url"]) or _link(words["source_url"]),
    )


def summary(learned: Learned) -> str:
    """How many pictures by how many people, in words."""
    count, owners = len(learned.credits), len({one.owner for one in learned.credits})
    text = f"{_count(count, 'picture')} by {_count(owners, 'author')}"
    if learned.unnamed:
        text += f"; of {_count(learned.unnamed, 'more picture')} the provenance is not known"
    return text


def notices(learned: Learned) -> list[str]:
    """What the licences ask of those who show what was learned, in sentences."""
    found = []
    for condition, (name, meaning) in NOTICES.items():
        count = sum(condition in conditions(one.licence_url) for one in learned.credits)
        if count:
            found.append(f"{name}: {_count(count, 'picture')}. {meaning}")
    return found


def licence_counts(learned: Learned) -> list[tuple[int, str, str]]:
    """Pictures, name and URL of each licence, the most pictures first."""
    counts = Counter((one.licence, one.licence_url) for one in learned.credits)
    return sorted(
        ((n, *one) for one, n in counts.items()), key=lambda entry: (-entry[0], entry[1:])
    )


def page_of(learned: Learned, model: str) -> str:
    """The page: it needs nothing else and runs nothing. model: its content hash, or ""."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        learned=learned,
        model=model,
        summary=summary(learned),
        notices=notices(learned),
        licences=licence_counts(learned),
        owners=_by_owner(learned),
    )


def text_of(learned: Learned, model: str) -> str:
    """The same as plain text."""
    lines = ["Credits", "", f"{summary(learned)}.", ""]
    if model:
        lines.append(f"Model, content hash: {model}")
    lines += [f"Set {learned.name}, SHA-256: {learned.sha256}", "", "Licences", ""]
    lines += [f"{n:6} {name} {url}".rstrip() for n, name, url in licence_counts(learned)]
    if found := notices(learned):
        lines += ["", *found]
    for owner, pictures in _by_owner(learned):
        lines += ["", f"{owner} ({len(pictures)})"]
        lines += [
            ", ".join(
                filter(None, (f"  “{one.title}”", one.source_url, one.licence, one.licence_url))
            )
            for one in pictures
        ]
    return "\n".join(lines) + "\n"


def _by_owner(learned: Learned) -> list[tuple[str, list[Credit]]]:
    return [
        (owner, list(found)) for owner, found in groupby(learned.credits, lambda one: one.owner)
    ]


def _read_archive(path: Path) -> tuple[list[Mapping[str, object]], int]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            pictures = {n for n in names if PurePosixPath(n).suffix.lower() in PICTURES}
            listed: object = None
            if "dataset.json" in names:
                if archive.getinfo("dataset.json").file_size > MOST_JSON_BYTES:
                    raise TrainingError(f"{path}: its dataset.json is too large to be one.")
                listed = json.loads(archive.read("dataset.json"))
    except (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError) as fault:
        raise TrainingError(f"{path}: this is no data set archive ({fault}).") from fault
    rows = listed.get("provenance") if isinstance(listed, dict) else None
    named = {
        row["picture"]: row
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and str(row.get("picture")) in pictures
    }
    return list(named.values()), len(pictures)


def _link(url: str) -> str:
    """A URL that a page may link to, or ""."""
    return url if url.lower().startswith(("https://", "http://")) and " " not in url else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
