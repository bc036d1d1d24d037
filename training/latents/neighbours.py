"""Draw 100 Gaussian neighbours of each projected w, and choose one of them.

Number 0 is the projection itself. Sheets go to work/<id>/neighbours-<painting>.png; choices to
ballads/<id>/choices.yaml. Three ways to choose: --pick PAINTING=NUMBER, --auto, or neither: then a
terminal is asked, and without one only the sheets are drawn. --auto takes the most colourful
(Hasler-Suesstrunk) and textured (luma gradient) picture, of the half of all 101 that stays nearest
to the painting.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from tqdm import tqdm

from shows.schema import Ballad
from training.errors import TrainingError
from training.latents.address import NEIGHBOURS
from training.latents.choices_file import LONGEST_NOTE, read_choices, record_choice
from training.latents.neighbour_sheets import Desk, Drawing
from training.latents.picture_scores import choose, measure
from training.latents.projection_file import current_projection
from training.show_folder import (
    add_show_arguments,
    chosen_ballads,
    generator_hash,
    open_generator,
    open_show,
)

DEFAULT = Drawing()
LARGEST_STRENGTH = 10.0
AUTO_NOTE = "most colourful and textured of the half nearest to the painting"

Ask = Callable[[str], str]
Picks = dict[tuple[str, int], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `neighbours`."""
    add_show_arguments(parser)
    parser.add_argument(
        "--strength",
        type=float,
        help="in units of w's standard deviation in each channel (default "
        f"{DEFAULT.strength:g}; with --pick: that of the sheet)",
    )
    parser.add_argument(
        "--seed", type=int, help=f"(default {DEFAULT.seed}; with --pick: that of the sheet)"
    )
    parser.add_argument(
        "--pick",
        nargs="+",
        action="extend",
        metavar="PAINTING=NUMBER",
        help="a person's choice; PAINTING is an id or a place from 1, with BALLAD/ before it where "
        "several ballads are meant",
    )
    parser.add_argument("--auto", action="store_true", help="let the machine choose, and say so")
    parser.add_argument(
        "--force", action="store_true", help="with --auto: also over a person's choice"
    )
    parser.add_argument("--note", default="", help="with --pick: why, for the record")


def run(args: argparse.Namespace) -> int:
    """Carry out `neighbours`. Raises TrainingError."""
    if args.pick and args.auto:
        raise TrainingError("Give either --pick or --auto: a person chooses, or the machine.")
    if args.strength is not None and not 0 <= args.strength <= LARGEST_STRENGTH:
        raise TrainingError(f"--strength must lie between 0 and {LARGEST_STRENGTH:g}.")
    if args.seed is not None and args.seed < 0:
        raise TrainingError("--seed must be 0 or more.")
    if len(args.note) > LONGEST_NOTE:
        raise TrainingError(f"--note may have {LONGEST_NOTE} characters.")
    show = open_show(args.show)
    ballads = chosen_ballads(show, args.ballad)
    picks = parse_picks(args.pick or (), ballads)
    digest = generator_hash(show)
    if picks:
        ballads = tuple(b for b in ballads if any(b.id == ballad_id for ballad_id, _ in picks))
    projections = {ballad.id: current_projection(show, ballad, digest) for ballad in ballads}
    desk = Desk(show, open_generator(show), projections)
    if picks:
        record_picks(desk, ballads, picks, args)
        return 0
    drawing = _drawing(DEFAULT, args)
    if args.auto:
        choose_all(desk, ballads, drawing, force=args.force)
        return 0
    for ballad, index in tqdm(_paintings(ballads), desc="neighbours", unit="sheet"):
        choice = read_choices(show, ballad.id).get(ballad.painting_ids[index])
        pictures = desk.pictures(ballad, index, drawing)
        desk.draw_sheet(ballad, index, pictures, drawing, choice)
    if sys.stdin.isatty():
        ask_for_all(desk, ballads, drawing)
        return 0
    print(
        f"The sheets are in {show.folder / 'work'}/<ballad>/neighbours-<painting>.png. Choose with "
        "--pick BALLAD/PAINTING=NUMBER, or leave it to --auto."
    )
    return 0


def parse_picks(words: Sequence[str], ballads: Sequence[Ballad]) -> Picks:
    """`lady=17`, `3=17` or `twa-corbies/lady=17` -> number by (ballad id, index of the painting).

    An id goes before a place. Raises TrainingError where a painting is unknown or ambiguous.
    """
    picks: Picks = {}
    for word in words:
        name, _, digits = word.rpartition("=")
        if not (digits.isascii() and digits.isdigit() and int(digits) <= NEIGHBOURS and name):
            raise TrainingError(
                f"--pick {word}: write PAINTING=NUMBER with a number from 0 to {NEIGHBOURS}."
            )
        ballad_id, _, painting = name.rpartition("/")
        if ballad_id and ballad_id not in {ballad.id for ballad in ballads}:
            known = ", ".join(ballad.id for ballad in ballads)
            raise TrainingError(f"--pick {word}: there is no ballad {ballad_id!r} among {known}.")
        found = [
            (ballad.id, index)
            for ballad in ballads
            if ballad_id in ("", ballad.id)
            for index in _indices(ballad, painting)
        ]
        if not found:
            known = ", ".join(f"{ballad.id}/{p}" for ballad in ballads for p in ballad.painting_ids)
            raise TrainingError(f"--pick {word}: there is no such painting; there are {known}.")
        if len(found) > 1:
            places = ", ".join(f"{ballad}/{painting}" for ballad, _ in found)
            raise TrainingError(f"--pick {word}: that could be {places}; write which.")
        picks[found[0]] = int(digits)
    return picks


def _indices(ballad: Ballad, painting: str) -> list[int]:
    if painting in ballad.painting_ids:
        return [ballad.painting_ids.index(painting)]
    if painting.isascii() and painting.isdigit() and 1 <= int(painting) <= len(ballad.paintings):
        return [int(painting) - 1]
    return []


def record_picks(
    desk: Desk, ballads: Sequence[Ballad], picks: Picks, args: argparse.Namespace
) -> None:
    """Record a person's choices, which go before every other, and frame them on their sheets."""
    for ballad in ballads:
        for index, painting_id in enumerate(ballad.painting_ids):
            if (ballad.id, index) not in picks:
                continue
            given = args.strength is not None and args.seed is not None
            seen = None if given else desk.drawing_of_sheet(ballad, index)
            drawing = _drawing(seen or DEFAULT, args)
            number = picks[ballad.id, index]
            choice = desk.choice(ballad, index, number, drawing, "person")
            noted = choice.model_copy(update={"note": args.note})
            record_choice(desk.show, ballad.id, painting_id, noted)
            pictures = desk.pictures(ballad, index, drawing)
            desk.draw_sheet(ballad, index, pictures, drawing, choice)
            print(f"{ballad.id}/{painting_id}: {number}, by a person.")


def choose_all(desk: Desk, ballads: Sequence[Ballad], drawing: Drawing, *, force: bool) -> None:
    """Let the machine choose wherever no person has (with `force`, everywhere)."""
    kept = 0
    with tqdm(total=len(_paintings(ballads)), desc="neighbours", unit="painting") as progress:
        for ballad, index in _paintings(ballads):
            painting_id = ballad.painting_ids[index]
            choice = read_choices(desk.show, ballad.id).get(painting_id)
            pictures = desk.pictures(ballad, index, drawing)
            if choice is not None and choice.by == "person" and not force:
                kept += 1
                if not desk.fits(ballad, index, choice):
                    progress.write(
                        f"{ballad.id}/{painting_id}: a person chose {choice.number} of an earlier "
                        "projection; look at the new sheet and --pick again, or --force."
                    )
            else:
                scores = measure(pictures, desk.painting(ballad, index))
                number = choose(scores)
                choice = desk.choice(ballad, index, number, drawing, "auto").model_copy(
                    update={"note": AUTO_NOTE, "score": scores.of(number)}
                )
                record_choice(desk.show, ballad.id, painting_id, choice)
                progress.write(f"{ballad.id}/{painting_id}: {number}, automatically.")
            desk.draw_sheet(ballad, index, pictures, drawing, choice)
            progress.update()
    if kept:
        print(f"{kept} choices made by a person were kept (--force lets --auto replace them).")


def ask_for_all(desk: Desk, ballads: Sequence[Ballad], drawing: Drawing, ask: Ask = input) -> None:
    """Ask a person at the terminal for a number for each painting; the end of input ends it."""
    print("A number chooses, Enter leaves it as it is, q ends.")
    for ballad, index in _paintings(ballads):
        painting_id = ballad.painting_ids[index]
        now = read_choices(desk.show, ballad.id).get(painting_id)
        state = "" if now is None else f" (now {now.number}, {now.by})"
        print(f"{desk.sheet_path(ballad, index)}")
        number = _ask_number(f"{ballad.id}/{painting_id}, 0 to {NEIGHBOURS}{state}: ", ask)
        if number is None:
            return
        if number >= 0:
            choice = desk.choice(ballad, index, number, drawing, "person")
            record_choice(desk.show, ballad.id, painting_id, choice)
            pictures = desk.pictures(ballad, index, drawing)
            desk.draw_sheet(ballad, index, pictures, drawing, choice)


def _ask_number(question: str, ask: Ask) -> int | None:
    """The number; -1 for Enter; None for the end."""
    while True:
        try:
            answer = ask(question).strip()
        except EOFError:
            return None
        if answer == "q":
            return None
        if not answer:
            return -1
        if answer.isascii() and answer.isdigit() and int(answer) <= NEIGHBOURS:
            return int(answer)
        print(f"Please a number from 0 to {NEIGHBOURS}.")


def _drawing(default: Drawing, args: argparse.Namespace) -> Drawing:
    return Drawing(
        strength=default.strength if args.strength is None else args.strength,
        seed=default.seed if args.seed is None else args.seed,
    )


def _paintings(ballads: Sequence[Ballad]) -> list[tuple[Ballad, int]]:
    return [(ballad, index) for ballad in ballads for index in range(len(ballad.paintings))]
