"""The pages of docs/picture.md: `python -m player.picture_book [--out DIR] [PAGE ...]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from player.films.film_facts import FilmError
from player.live.synthesis_worker import WorkerError
from player.picture_book import dithering, motion, surfaces
from player.picture_book.stage import Stage
from player.wall.contract import OutputError
from shows.schema import ShowError
from shows.show_file import load_show

ROOT = Path(__file__).resolve().parents[2]
FIGURES = "figures.json"
Page = Callable[[Stage, Path], dict[str, object]]
PAGES: dict[str, Page] = {
    "paintings": surfaces.paintings,
    "enlarging": surfaces.enlarging,
    "linear-light": surfaces.linear_light,
    "surfaces": surfaces.surfaces,
    "surrounds": surfaces.surrounds,
    "focus": surfaces.focus,
    "gradient": dithering.gradient,
    "paths": motion.paths,
    "phases": motion.phases,
    "loops": motion.loops,
    "night": surfaces.night,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all pages are made; 1 with a sentence; 130: interrupted, what is done stays."""
    parser = argparse.ArgumentParser(
        prog="python -m player.picture_book",
        description="Makes the stills, short films and figures of docs/picture.md from a show.",
    )
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"{', '.join(PAGES)}; all")
    parser.add_argument("--show", type=Path, default=ROOT / "shows" / "inspace")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "picture")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the engine")
    args = parser.parse_args(arguments)
    unknown = [page for page in args.pages if page not in PAGES]
    if unknown:
        parser.error(f"there is no page {unknown[0]!r}; there are: {', '.join(PAGES)}")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        with Stage(load_show(args.show), args.threads) as stage:
            for name in tqdm(args.pages or list(PAGES), disable=not sys.stderr.isatty()):
                _note(args.out / FIGURES, name, PAGES[name](stage, args.out))
    except KeyboardInterrupt:
        print("player.picture_book: interrupted; what is done stays.", file=sys.stderr)
        return 130
    except (ShowError, OutputError, WorkerError, FilmError, OSError, ValueError) as fault:
        print(f"player.picture_book: {fault}", file=sys.stderr)
        return 1
    return 0


def _note(path: Path, page: str, figures: dict[str, object]) -> None:
    """Figures of pages made earlier are kept."""
    if not figures:
        return
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    told[page] = figures
    path.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{page}: {json.dumps(figures)}")


if __name__ == "__main__":
    sys.exit(main())
