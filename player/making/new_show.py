"""`run_installation.py new`: a show's folder that plays at once.

From a folder of pictures, or with paintings of the shipped show to be replaced one by one. The
folder stands whole or not at all; then the w of each picture is looked for, which can wait too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from player.making.curating import ROOT, command_lines, curate, is_possible
from player.making.picture_folder import FoundPicture, pictures_in, shared_out, slug
from player.making.schemas import write_schemas
from player.making.show_text import SCHEMA_FOLDER, ballad_text, show_text, with_schema
from player.this_program import command, is_installed, pip_install, program_name
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import load_show

MODEL_FILES = ("generator.safetensors", "codes.safetensors", "discriminator.safetensors")
BALLAD_FILES = ("choices.yaml", "projection.safetensors", "latents.safetensors")
DEFAULT_STEPS = 100
CAN_WAIT = "Ctrl-C leaves it for later."
NO_LIKENESS = (
    "The network was trained on the shipped paintings: of others it shows colours, light and where "
    "things stand, no figures. docs/quick-start.md says how to train one on yours."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `new`. The caller sets the default of `show`, the shipped one."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the new show: a new folder")
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="make ballads of these pictures, in the order of their names (default: paintings of "
        "the shipped show, to begin with)",
    )
    parser.add_argument("--title", help="of the show (default: the folder's name)")
    parser.add_argument(
        "--ballads", type=_count, default=1, metavar="N", help="how many (default: %(default)s)"
    )
    parser.add_argument(
        "--steps",
        type=_count,
        default=DEFAULT_STEPS,
        metavar="N",
        help="of the search for what the network can show of each picture (default: %(default)s)",
    )
    parser.add_argument(
        "--stills",
        action="store_true",
        help="leave that search for later: until then the show plays as stills",
    )


def run(args: argparse.Namespace) -> int:
    """The verb: 0; 1 with a sentence on standard error; 130 after Ctrl-C."""
    folder: Path = args.folder
    title = args.title or words_of(folder)
    try:
        if args.pictures is None:
            borrowed = partial(_borrowed, shipped=args.show, count=args.ballads)
            show = make_show(folder, args.show, borrowed, title)
        else:
            pictures, others = pictures_in(args.pictures)
            shares = shared_out(pictures, args.ballads)
            of_pictures = partial(_of_pictures, title=title, shares=shares)
            show = make_show(folder, args.show, of_pictures, title)
            if others:
                print(f"Left out, being no pictures that are read here: {', '.join(others)}.")
    except ShowError as fault:
        print(f"{program_name()} new: {fault}", file=sys.stderr)
        return 1
    print(f"{folder} is made. To change it, edit {folder / 'show.yaml'}.", flush=True)
    if args.pictures is None:
        print(_play(folder))
        return 0
    return _give_life(show, args)


def _give_life(show: Show, args: argparse.Namespace) -> int:
    folder: Path = args.folder
    where = "" if is_installed() else f", in {ROOT}"
    later = (
        f"The show plays as stills until these have been run{where}:\n"
        f"{command_lines(show, args.steps)}\n"
        f"Until then: {command('--show', str(folder), '--mode', 'slate')}"
    )
    if args.stills:
        print(later)
        return 0
    if not is_possible():
        print(f"torch is not installed, so nothing can be drawn: {pip_install('live')}.\n{later}")
        return 0
    print(f"Looking for what the network can show of each picture. {CAN_WAIT}", flush=True)
    try:
        failed = curate(show, args.steps)
    except KeyboardInterrupt:
        print(f"\nStopped. {later}", file=sys.stderr)
        return 130
    if failed is not None:
        print(f"`training {failed}` failed, see above. {later}", file=sys.stderr)
        return 1
    print(f"Each picture beside what is shown of it: {folder / 'work'}/*/projection.png.")
    print(NO_LIKENESS)
    print(_play(folder))
    return 0


def _play(folder: Path) -> str:
    return f"Play it: {command('--show', str(folder))}"


def make_show(
    folder: Path, shipped: Path, add_ballads: Callable[[Path], Sequence[str]], title: str
) -> Show:
    """Write a show's folder, whole or not at all. shipped: whose generator is copied.

    add_ballads: given the folder, writes the ballads' folders; returns their ids.
    Raises ShowError; so it does where the folder holds anything already.
    """
    _require_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as making:
            new = Path(making) / "show"
            new.mkdir()
            for name in MODEL_FILES:
                shutil.copyfile(shipped / name, new / name)
            ballads = add_ballads(new)
            text = show_text(title, ballads)
            (new / "show.yaml").write_text(text, encoding="utf-8")
            write_schemas(new / SCHEMA_FOLDER)
            load_show(new, latents=False)
            if folder.is_dir():
                folder.rmdir()
            os.replace(new, folder)
    except OSError as fault:
        where = fault.filename or folder
        raise ShowError(f"{where} cannot be copied or written: {fault.strerror}.") from fault
    except UnicodeError as fault:
        raise ShowError(f"--title: {title!r} is no text.") from fault
    return load_show(folder, latents=False)


def _require_free(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise ShowError(f"{folder} is not empty; name a new folder.")
    if os.path.lexists(folder) and not folder.is_dir():
        raise ShowError(f"{folder} is a file; name a new folder.")


def _of_pictures(
    new: Path, *, title: str, shares: Sequence[Sequence[FoundPicture]]
) -> tuple[str, ...]:
    ids = []
    for number, share in enumerate(shares, 1):
        alone = len(shares) == 1
        name = title if alone else f"{title} {number}"
        base = slug(title)[:50].strip("-")
        ballad_id = base if alone and base[:1].isalpha() else f"ballad-{number}"
        ballad = new / "ballads" / ballad_id
        (ballad / "paintings").mkdir(parents=True)
        for picture in share:
            shutil.copyfile(picture.path, ballad / picture.file)
        (ballad / "ballad.yaml").write_text(ballad_text(name, share), encoding="utf-8")
        ids.append(ballad_id)
    return tuple(ids)


def _borrowed(new: Path, *, shipped: Path, count: int) -> tuple[str, ...]:
    """The first ballads of the shipped show, with all that was curated."""
    show = load_show(shipped, latents=False)
    if count > len(show.ballads):
        raise ShowError(
            f"--ballads {count}: the shipped show has {len(show.ballads)} ballads to begin with; "
            "more can be made from --pictures."
        )
    for ballad in show.ballads[:count]:
        old, copy = show.ballad_folder(ballad.id), new / "ballads" / ballad.id
        (copy / "paintings").mkdir(parents=True)
        for name in [*BALLAD_FILES, *(painting.file for painting in ballad.paintings)]:
            shutil.copyfile(old / name, copy / name)
        text = (old / "ballad.yaml").read_text(encoding="utf-8")
        (copy / "ballad.yaml").write_text(with_schema(text), encoding="utf-8")
    return show.ballad_ids[:count]


def words_of(folder: Path) -> str:
    """A folder's name as a title: `my-first_show` is My first show."""
    words = " ".join(folder.resolve().name.replace("_", " ").replace("-", " ").split())
    return (words[:1].upper() + words[1:])[:180] or "A new show"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 100_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 100000")
    return int(text)
