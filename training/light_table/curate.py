"""Choose among the neighbours of each projected painting on a local web page: the light table.

Shows each painting, its projection and a hundred neighbours; enlarges and compares them, plays
their noise loops, breeds, remembers every step, and publishes. The page is for this machine alone
and asks nothing of any other. Choices go to ballads/<id>/choices.yaml, loops to ballad.yaml, and
everything, with seed and strength, to work/light_table/journal.jsonl.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from training.errors import TrainingError
from training.light_table.loop_preview import Previews, show_engine
from training.light_table.pictures import Pictures
from training.light_table.publishing import Publisher
from training.light_table.session import Session
from training.show_folder import generator_hash, open_generator, open_show

USUAL_PORT = 8077
LARGEST_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `curate`."""
    parser.add_argument("show", type=Path, help="the show's folder")
    parser.add_argument(
        "--port",
        type=int,
        default=USUAL_PORT,
        help=f"where the page is served on this machine (default {USUAL_PORT}; 0: any free one)",
    )
    parser.add_argument(
        "--no-browser",
        dest="browser",
        action="store_false",
        help="do not open the page in a browser; its address is printed",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out `curate`, until Ctrl-C. Raises TrainingError."""
    if not 0 <= args.port <= LARGEST_PORT:
        raise TrainingError(f"--port must lie between 0 and {LARGEST_PORT}.")
    from training.light_table.page import add_pages
    from training.light_table.web_server import free_port, serve

    port = free_port(args.port)
    show = open_show(args.show)
    session = Session(show, generator_hash(show))
    for fault in session.faults.values():
        print(fault)
    generator = open_generator(show, "cuda" if torch.cuda.is_available() else "cpu")
    threads = max(1, (os.cpu_count() or 2) // 2)
    easel = ThreadPoolExecutor(1, thread_name_prefix="easel")
    pictures = Pictures(session, generator, easel)
    previews = Previews(session, generator, easel, lambda: show_engine(session.show, threads))
    add_pages(session, pictures, previews, Publisher(session, generator))

    def close() -> None:
        previews.cancel(previews.current)
        easel.shutdown(wait=True, cancel_futures=True)

    with contextlib.suppress(KeyboardInterrupt):
        serve(port, browser=args.browser, closing=close)
    session.journal.close()
    print("The light table is closed; everything is kept.")
    return 0
