"""The command line `python -m training <verb>`.

Each verb is a module with `add_arguments(parser)` and `run(args) -> int`, imported only when
its verb is asked for, so that `--help` does not wait for torch.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from training.errors import TrainingError

EXIT_FAULT = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Verb:
    """One sub-command: the module in `training` that does it and the line that `--help` shows."""

    module: str
    summary: str
    aliases: tuple[str, ...] = ()


VERBS: dict[str, Verb] = {
    "collect": Verb(
        "pictures.collect", "collect pictures that may be learned from, with their provenance"
    ),
    "paint": Verb("painter.paint", "paint a picture set, or the illustrations of a show"),
    "prepare": Verb("pictures.prepare_dataset", "make a data set archive of a folder of pictures"),
    "credits": Verb("pictures.credits", "write whom a model learned from, for the wall label"),
    "train": Verb("learning.train", "train a generator on a data set archive"),
    "report": Verb("learning.run_report", "a page on a training run: plots, sheets, options"),
    "bench": Verb("learning.bench", "seconds for a thousand pictures, beside a plain loop"),
    "measure": Verb("metrics.measure", "how near samples come to the set they were learned from"),
    "project": Verb("latents.projection", "find the w of each painting of a ballad"),
    "neighbours": Verb("latents.neighbours", "draw neighbours of a projected w and choose one"),
    "curate": Verb(
        "light_table.curate", "choose among neighbours on a local web page", ("light-table",)
    ),
    "publish": Verb(
        "latents.publish", "write a ballad's chosen ws as its latent set", ("add-to-show",)
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0 done, 2 a fault, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = _verb_name(words[0]) if words else None
    if name is None:
        _overview().parse_args(words or ["--help"])
        return EXIT_FAULT
    try:
        module = importlib.import_module(f"training.{VERBS[name].module}")
        parser = argparse.ArgumentParser(
            prog=f"python -m training {words[0]}", description=module.__doc__
        )
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        module.add_arguments(parser)
        return int(module.run(parser.parse_args(words[1:])))
    except TrainingError as fault:
        print(f"training {words[0]}: {fault}", file=sys.stderr)
        return EXIT_FAULT
    except KeyboardInterrupt:
        print(f"training {words[0]}: stopped by Ctrl-C.", file=sys.stderr)
        return EXIT_INTERRUPTED


def _verb_name(word: str) -> str | None:
    for name, verb in VERBS.items():
        if word == name or word in verb.aliases:
            return name
    return None


def _overview() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Make a generator and the latent sets of a show.",
        epilog="`python -m training <verb> --help` explains a verb.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)
    for name, verb in VERBS.items():
        verbs.add_parser(name, aliases=list(verb.aliases), help=verb.summary, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
