"""A support bundle: one ZIP with what someone far away needs to understand a fault.

`run_installation.py bundle`. It holds no weights, no paintings, no keys and no values of
environment variables; its first file says what it does hold, and what was not found.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from player.clock import wall_ns
from player.made_folder import made_folder
from player.this_program import program_name
from player.upkeep.journal_file import Entry, day_path, read_journal
from player.upkeep.measures import package_versions
from player.upkeep.night_report import NightReportError, page_of, title_and_zone
from player.upkeep.secret_words import secret_words, without
from player.upkeep.wall_time import HOUR_NS, utc_day, utc_text
from shows.atomic_file import write_atomically
from shows.schema import ShowError

MAX_FILE_BYTES = 50_000_000
MAX_PICTURES_BYTES = 30_000_000
DAY_NS = 24 * HOUR_NS


class BundleError(Exception):
    """The bundle cannot be made; the text is a sentence that says why."""


class Pages:
    """The files of a bundle as they gather. secrets: what is struck out of every text."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets
        self.files: dict[str, bytes] = {}
        self.missing: list[str] = []
        self.struck_out = 0

    def add_text(self, name: str, text: str) -> None:
        """A text, without secrets."""
        text, count = without(text, self._secrets)
        self.struck_out += count
        self.files[name] = text.encode("utf-8", "replace")

    def add_file(self, name: str, path: Path) -> None:
        """A text file of at most 50 MB; the end of a longer one. An absent one is noted."""
        try:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - MAX_FILE_BYTES))
                raw = file.read(MAX_FILE_BYTES)
        except OSError as fault:
            self.missing.append(f"{name}: {path} cannot be read: {fault.strerror or fault}.")
            return
        self.add_text(name, raw.decode("utf-8", "replace"))

    def add_picture(self, name: str, path: Path) -> int:
        """A snapshot as it is; returns its bytes, 0 for one that is gone."""
        try:
            data = path.read_bytes() if path.stat().st_size < 1_000_000 else b""
        except OSError:
            return 0
        if data:
            self.files[name] = data
        return len(data)


def add_arguments(
    parser: argparse.ArgumentParser, *, show: Path | None = None, journal: Path | None = None
) -> None:
    """The options of the verb `bundle`. show, journal: defaults."""
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="DIR",
        default=journal,
        required=journal is None,
        help="folder of the journal, as given to play",
    )
    parser.add_argument("--show", type=Path, metavar="DIR", default=show, help="folder of the show")
    parser.add_argument("--state", type=Path, metavar="FILE", help="the player's state file")
    parser.add_argument("--machine", type=Path, metavar="FILE", help="the machine file")
    parser.add_argument(
        "--days", type=_days, metavar="N", default=3, help="days of the journal (default: 3)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("support-bundle.zip"),
        help="file to write (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the bundle and say what is in it; 0, or 1 with a sentence on standard error."""
    try:
        content = bundle(
            args.journal,
            show=args.show,
            state=args.state,
            machine=args.machine,
            until_ns=wall_ns(),
            days=args.days,
            environment=os.environ,
        )
        write_atomically(args.out, content)
    except (BundleError, ShowError) as fault:
        print(f"{program_name()} bundle: {str(fault).rstrip('.')}.", file=sys.stderr)
        return 1
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        print(archive.read("READ-ME-FIRST.txt").decode())
    print(f"The bundle is {args.out} ({len(content) / 1e6:.1f} MB).")
    return 0


def bundle(
    journal: Path,
    *,
    show: Path | None,
    state: Path | None,
    machine: Path | None,
    until_ns: int,
    days: int,
    environment: Mapping[str, str],
) -> bytes:
    """The ZIP of the last `days` days before `until_ns` (UTC since 1970).

    A show, state or machine file that is damaged goes in as it is; None leaves it out. environment
    is read only for what must be struck out. Raises BundleError if the journal's folder is absent.
    """
    if not journal.is_dir():
        raise BundleError(f"There is no journal in {journal}: give --journal as it was to play.")
    pages = Pages(secret_words(show, environment))
    since_ns = until_ns - days * DAY_NS
    for back in range(days, -1, -1):
        path = day_path(journal, utc_day(until_ns - back * DAY_NS))
        if path.exists():
            pages.add_file(f"journal/{path.name}", path)
    read = read_journal(journal, since_ns, until_ns)
    _add_report(pages, journal, show, until_ns)
    _add_pictures(pages, journal, read.entries)
    _add_show(pages, show)
    for name, file in (("state.json", state), ("machine.yaml", machine)):
        if file is not None:
            pages.add_file(name, file)
    starts = [entry for entry in read.entries if entry.kind == "start"]
    pages.add_text("versions.json", json.dumps(_versions(starts), indent=2) + "\n")
    return _zip(pages, since_ns, until_ns)


def _add_report(pages: Pages, journal: Path, show: Path | None, until_ns: int) -> None:
    since_ns = until_ns - DAY_NS
    title, zone = title_and_zone(show)
    try:
        read = read_journal(journal, since_ns, until_ns)
        page = page_of(journal, read, since_ns, until_ns, title=title, zone=zone)
    except NightReportError as fault:
        pages.missing.append(f"night-report.html: {fault}")
    else:
        pages.add_text("night-report.html", page)


def _add_pictures(pages: Pages, journal: Path, entries: tuple[Entry, ...]) -> None:
    """The newest snapshots, up to 30 MB; their names come from the folder, not from the lines."""
    days = {utc_day(entry.at_ns) for entry in entries if entry.kind == "picture"}
    left = MAX_PICTURES_BYTES
    for day in sorted(days, reverse=True):
        folder = journal / f"pictures-{day}"
        if folder.is_symlink():
            continue
        for path in sorted(folder.glob("*.jpg"), reverse=True):
            if left > 0 and not path.is_symlink():
                left -= pages.add_picture(f"journal/{folder.name}/{path.name}", path)
    if left <= 0:
        pages.missing.append("older snapshots: there are more than 30 MB of them.")


def _add_show(pages: Pages, show: Path | None) -> None:
    if show is None:
        return
    pages.add_file("show/show.yaml", show / "show.yaml")
    for path in sorted(show.glob("ballads/*/ballad.yaml"))[:200]:
        pages.add_file(f"show/ballads/{path.parent.name}/ballad.yaml", path)
    pages.add_file("show/films/manifest.json", made_folder(show) / "films" / "manifest.json")


def _versions(starts: list[Entry]) -> dict[str, object]:
    """Of this machine now, and of the player's newest start, its graphics driver among them."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": package_versions(),
        "newest_start": {"at": utc_text(starts[-1].at_ns), **starts[-1].facts} if starts else None,
    }


def _zip(pages: Pages, since_ns: int, until_ns: int) -> bytes:
    lines = [
        "Support bundle of an Inspace Ballads installation",
        f"from {utc_text(since_ns)} to {utc_text(until_ns)}",
        "",
        "In it:",
        *(f"  {name} ({len(data)} bytes)" for name, data in sorted(pages.files.items())),
        "",
        "Not in it: the generator, latent sets, paintings, films, key files, passwords, values of",
        "environment variables. The snapshots are rendered pictures. Names of folders, of this",
        "machine's outputs and addresses in the show file are in it: look before you send it on.",
    ]
    if pages.struck_out:
        lines += ["", f"Struck out: {pages.struck_out} secrets, shown as [removed]."]
    if pages.missing:
        lines += ["", "Not found:", *(f"  {line}" for line in pages.missing)]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("READ-ME-FIRST.txt", "\n".join(lines) + "\n")
        for name, data in sorted(pages.files.items()):
            archive.writestr(name, data)
    return file.getvalue()


def _days(text: str) -> int:
    if not text.isdecimal() or len(text) > 2 or not 1 <= int(text) <= 62:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of days from 1 to 62")
    return int(text)
