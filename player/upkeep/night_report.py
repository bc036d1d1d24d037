"""The nightly report: one HTML page that says what happened. `run_installation.py report`.

The page needs nothing else: plots and pictures stand in it, and it runs no script. matplotlib and
jinja2 draw it; they are the extra `report`, which the show itself does not need.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from player.clock import wall_ns
from player.this_program import pip_install, program_name
from player.upkeep.journal_file import JournalRead, read_journal
from player.upkeep.night_facts import minutes_of, runs_of
from player.upkeep.night_page import chronicle, figures, machine_rows, snapshots
from player.upkeep.night_verdict import verdict_of
from player.upkeep.wall_time import HOUR_NS, Zone, date_text, instant_of, zone_of, zone_text
from shows.atomic_file import write_atomically
from shows.schema import ShowError
from shows.show_file import load_show

LONGEST_HOURS = 24 * 62
TEMPLATE = Path(__file__).with_name("night_report.html.j2")


class NightReportError(Exception):
    """The report cannot be made; the text is a sentence that says why and what to do."""


def add_arguments(
    parser: argparse.ArgumentParser, *, show: Path | None = None, journal: Path | None = None
) -> None:
    """The options of the verb `report`. show, journal: defaults."""
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="DIR",
        default=journal,
        required=journal is None,
        help="folder of the journal, as given to play",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("night-report.html"),
        help="page to write (default: %(default)s)",
    )
    parser.add_argument(
        "--hours", type=_hours, metavar="N", default=24.0, help="how far back (default: 24)"
    )
    parser.add_argument(
        "--since", metavar="TIME", help="from this time on, as in 2026-11-22T18:00 (local time)"
    )
    parser.add_argument("--until", metavar="TIME", help="up to this time (default: now)")
    parser.add_argument(
        "--show", type=Path, metavar="DIR", default=show, help="show, for its title and time zone"
    )


def run(args: argparse.Namespace) -> int:
    """Write the page; 0, or 1 with a sentence on standard error. The verdict is printed."""
    try:
        title, zone = title_and_zone(args.show)
        until_ns = instant_of(args.until, zone) if args.until else wall_ns()
        since_ns = until_ns - round(args.hours * HOUR_NS)
        if args.since:
            since_ns = instant_of(args.since, zone)
        if not 0 < until_ns - since_ns <= LONGEST_HOURS * HOUR_NS:
            raise NightReportError("The report's time is empty or longer than two months.")
        page = night_report(args.journal, since_ns, until_ns, title=title, zone=zone)
        write_atomically(args.out, page.encode("utf-8", "replace"))
    except (NightReportError, ShowError, ValueError) as fault:
        print(f"{program_name()} report: {str(fault).rstrip('.')}.", file=sys.stderr)
        return 1
    verdict = verdict_of(read_journal(args.journal, since_ns, until_ns), since_ns, until_ns, zone)
    print(f"{verdict.sentence}\nThe page is {args.out}.")
    return 0


def night_report(
    folder: Path, since_ns: int, until_ns: int, *, title: str = "", zone: Zone = None
) -> str:
    """The page over the journal in `folder`, as HTML. since_ns, until_ns: UTC since 1970.

    zone: of the times on the page. A journal that is missing or damaged makes a page that says so.
    Raises NightReportError where matplotlib or jinja2 are not installed.
    """
    return page_of(
        folder, read_journal(folder, since_ns, until_ns), since_ns, until_ns, title=title, zone=zone
    )


def page_of(
    folder: Path, read: JournalRead, since_ns: int, until_ns: int, *, title: str, zone: Zone
) -> str:
    """As `night_report`, of a journal already read."""
    try:
        import jinja2

        from player.upkeep.night_plots import Span, plots

        minutes, runs = minutes_of(read.entries), runs_of(read.entries)
        drawn = plots(minutes, runs, Span(since_ns, until_ns, zone))
    except ImportError as fault:
        raise NightReportError(
            f"The report needs {fault.name}, which is not installed: {pip_install('report')}."
        ) from fault
    verdict = verdict_of(read, since_ns, until_ns, zone)
    template = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=title or "Inspace Ballads",
        verdict=verdict,
        others=[reason for reason in verdict.reasons if reason.colour != verdict.colour],
        since=date_text(since_ns, zone),
        until=date_text(until_ns, zone),
        zone=zone_text(until_ns, zone),
        chronicle=chronicle(read.entries, zone),
        plots=drawn,
        figures=figures(read),
        snapshots=snapshots(folder, read.entries, zone),
        machine=machine_rows(runs),
        notes=_notes(read),
    )


def title_and_zone(show: Path | None) -> tuple[str, Zone]:
    """Of a show's folder; an unreadable one has neither: the report is wanted then most."""
    if show is None:
        return "", None
    try:
        settings = load_show(show, latents=False).settings
    except ShowError as fault:
        return f"{show.name} (its show file cannot be read: {str(fault).splitlines()[0]})", None
    schedule = getattr(settings, "schedule", None)
    return settings.title, zone_of(getattr(schedule, "timezone", None))


def _notes(read: JournalRead) -> list[str]:
    notes = list(read.faults)
    if read.damaged_lines:
        lines = "A line" if read.damaged_lines == 1 else f"{read.damaged_lines} lines"
        notes.append(f"{lines} of the journal could not be read, as after a power cut.")
    return notes


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 < hours <= LONGEST_HOURS:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of hours up to 1488")
    return hours
