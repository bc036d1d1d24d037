"""`run_installation.py completion`: words and options completed by a shell.

The script is made of the program's own parsers by shtab; nothing of the program runs while a word
is completed. bash: put the output in ~/.local/share/bash-completion/completions/inspace-ballads.
zsh: in a folder of $fpath, as _inspace-ballads. fish: in ~/.config/fish/completions, as
inspace-ballads.fish.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from player.this_program import COMMAND, program_name

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb `completion`. The caller sets the default of `parsers`: a function
    that returns the parser of every verb, "" being that of no verb."""
    parser.add_argument("shell", choices=SHELLS, help="which shell")
    parser.add_argument(
        "--program",
        default=COMMAND,
        metavar="NAME",
        help="the command that is typed (default: %(default)s, which pip installs)",
    )


def run(args: argparse.Namespace) -> int:
    """The verb: 0; 1 with a sentence on standard error."""
    try:
        text = script(args.shell, args.program, args.parsers())
    except ModuleNotFoundError as fault:
        if fault.name != "shtab":
            raise
        print(
            f"{program_name()} completion: needs the package shtab: pip install shtab.",
            file=sys.stderr,
        )
        return 1
    print(text)
    return 0


def script(shell: str, program: str, parsers: Mapping[str, argparse.ArgumentParser]) -> str:
    """The text that a shell reads. parsers: by verb; of these only the options are taken.

    Raises ModuleNotFoundError without shtab.
    """
    import shtab

    none = parsers.get("")
    whole = argparse.ArgumentParser(
        prog=program, add_help=False, parents=[] if none is None else [none]
    )
    verbs = whole.add_subparsers()
    for verb, parser in parsers.items():
        if verb:
            verbs.add_parser(
                verb, add_help=False, parents=[parser], help=parser.description or verb
            )
    for action in whole._actions:  # no public way to the arguments of a finished parser
        _complete_paths(action)
    for parser in verbs.choices.values():
        for action in parser._actions:
            _complete_paths(action)
    return str(shtab.complete(whole, shell=shell))


def _complete_paths(action: argparse.Action) -> None:
    """Files and folders after the options that are followed by one."""
    import shtab

    if action.metavar in ("DIR", "FOLDER") or action.dest == "show":
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.metavar == "FILE":
        action.complete = shtab.FILE  # type: ignore[attr-defined]
