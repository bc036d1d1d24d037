"""Collect pictures that may be learned from, with a table of where each one comes from.

Searches Flickr by tags and text for photos whose licence allows modification, and downloads the
largest size of each. The key of the service is read from the environment variable FLICKR_API_KEY.
With --from it takes in pictures of a folder instead, under a licence that you name.

It may be stopped at any time, and the same line goes on where it ended.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from training.errors import TrainingError
from training.pictures.collect_folder import Collection
from training.pictures.collect_http import Web
from training.pictures.collect_own import Owned, take_own
from training.pictures.collect_search import (
    ALREADY_THERE,
    KEPT,
    NO_ANSWER,
    Plan,
    endings,
    usable_licences,
)
from training.pictures.flickr import ENDPOINT, KEY_NAME, Flickr, Query
from training.pictures.licences import allows_modification, licence_url
from training.pictures.provenance import TABLE

LISTED_AT_MOST = 20
SILENT_AT_MOST = 10  # pictures one after another
# too many to be listed one by one
UNTOLD = frozenset({"licence", "too small", "no photo"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `collect`."""
    parser.add_argument("out", type=Path, help="folder of the collection; it is made")
    parser.add_argument("--tags", default="", help="tags with commas between them")
    parser.add_argument(
        "--tag-mode", choices=("any", "all"), default="any", help="of the tags (default any)"
    )
    parser.add_argument("--text", default="", help="words in title, description or tags")
    parser.add_argument(
        "--licence",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these, as in cc0, pdm, cc-by-4.0, or a URL (default: all that allow "
        "modification); with --from the one licence of the pictures, also `own`",
    )
    parser.add_argument(
        "--min-size",
        type=int,
        default=800,
        help="leave out what is narrower or lower than this many pixels (default 800)",
    )
    parser.add_argument("--max", type=int, default=None, metavar="N", help="keep N at most")
    parser.add_argument("--jobs", type=int, default=4, help="downloads at a time (default 4)")
    parser.add_argument(
        "--rate", type=float, default=2.0, metavar="R", help="requests a second (default 2)"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="before a second try; it doubles with each of six (default 1)",
    )
    parser.add_argument("--api", default=ENDPOINT, metavar="URL", help="default %(default)s")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="take in the pictures of this folder",
    )
    parser.add_argument("--owner", default="", metavar="NAME", help="with --from: who made them")


def run(args: argparse.Namespace) -> int:
    """Carry out `collect`; returns the exit code."""
    _check(args)
    licences = [_named_licence(name) for name in args.licence]
    if args.source is None:
        if not args.tags.strip(" ,") and not args.text.strip():
            raise TrainingError("Name what to look for: --tags a,b or --text WORDS, or both.")
        if not os.environ.get(KEY_NAME, "").strip():
            raise TrainingError(
                f"The environment variable {KEY_NAME} is not set: it holds the key that Flickr "
                "gives at https://www.flickr.com/services/api/misc.api_keys.html."
            )
    elif len(licences) != 1:
        raise TrainingError(
            "--from needs one --licence: own, cc0, cc-by-4.0, or the URL of another."
        )
    try:
        with Collection(args.out) as collection:
            if args.source is not None:
                owned = Owned(licences[0], args.owner)
                counts, left_out = take_own(collection, args.source, owned, args.min_size)
            else:
                counts, left_out = _search(args, collection, licences)
            if not counts[NO_ANSWER]:
                collection.tidy()
    except OSError as fault:
        raise TrainingError(
            f"{fault.filename or args.out}: {fault.strerror or fault}. What was collected is kept; "
            "the same line goes on once that is put right."
        ) from fault
    print(describe(args.out, len(collection), counts, left_out))
    return 0


def describe(out: Path, pictures: int, counts: Counter[str], left_out: list[str]) -> str:
    """The outcome as lines for a person; long lists are cut."""
    lines = [
        f"{out}: {pictures} pictures in {TABLE}",
        f"found {counts.total()}, kept {counts[KEPT]} new, {counts[ALREADY_THERE]} already there",
    ]
    reasons = {word: n for word, n in counts.items() if word not in (KEPT, ALREADY_THERE)}
    if reasons:
        named = ", ".join(f"{n} {word}" for word, n in sorted(reasons.items()))
        lines.append(f"left out {sum(reasons.values())}: {named}")
    lines += [f"  {line}" for line in left_out[:LISTED_AT_MOST]]
    if len(left_out) > LISTED_AT_MOST:
        lines.append(f"  and {len(left_out) - LISTED_AT_MOST} more")
    if counts[NO_ANSWER]:
        lines.append("The same line tries those without an answer again.")
    return "\n".join(lines)


def _search(
    args: argparse.Namespace, collection: Collection, wanted: list[str]
) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    left_out: list[str] = []
    silent = 0
    stop = threading.Event()
    with Web(args.api, rate=args.rate, first_wait_s=args.wait, stop=stop) as web:
        flickr = Flickr(web, os.environ[KEY_NAME].strip())
        plan = Plan(web, collection, usable_licences(flickr.licences(), wanted), args.min_size)
        query = Query(args.tags, args.text, args.tag_mode)
        photos = flickr.search(query, sorted(plan.licences), datetime.now(UTC))
        with (
            tqdm(total=args.max, unit="picture", desc="collect") as bar,
            closing(endings(plan, photos, jobs=args.jobs, most=args.max)) as found,
        ):
            for ending in found:
                counts[ending.word] += 1
                bar.update(ending.is_kept)
                if not ending.is_kept and ending.word not in UNTOLD:
                    left_out.append(f"{ending.photo.page_url}: {ending.word} ({ending.detail})")
                silent = silent + 1 if ending.word == NO_ANSWER else 0
                if silent == SILENT_AT_MOST:
                    raise TrainingError(
                        f"The server of the pictures does not answer ({ending.detail}). What was "
                        "collected is kept; the same line goes on where this one ended."
                    )
    return counts, left_out


def _check(args: argparse.Namespace) -> None:
    for name, value in (("--min-size", args.min_size), ("--jobs", args.jobs), ("--max", args.max)):
        if value is not None and value < 1:
            raise TrainingError(f"{name} {value}: it must be at least 1.")
    if not 0 < args.rate <= 1000:
        raise TrainingError(f"--rate {args.rate}: it must be above 0 and at most 1000.")
    if not 0 <= args.wait <= 60:
        raise TrainingError(f"--wait {args.wait}: it must be from 0 to 60.")


def _named_licence(name: str) -> str:
    try:
        url = licence_url(name)
        is_usable = allows_modification(url)
    except ValueError as fault:
        raise TrainingError(
            f"--licence {name}: {fault}; say own, cc0, pdm, one such as cc-by-4.0, or a URL."
        ) from fault
    if not is_usable:
        raise TrainingError(
            f"--licence {name}: it does not allow modification, and a picture is cropped, resized "
            "and learned from. Ask the owner, or leave these pictures out."
        )
    return url
