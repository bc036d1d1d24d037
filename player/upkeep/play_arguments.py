"""Where a player keeps its state unless told otherwise. Pure but for resolving a path."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_DEFAULT_SHOW = Path(__file__).resolve().parents[2] / "shows" / "inspace"


def with_state_file(
    play_arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[str], Path]:
    """The arguments of `play` with `--state FILE`, added unless it is there, and that file.

    The default differs by show folder and node, so that two players on one machine keep one each.
    """
    words = list(play_arguments)
    if words[:1] == ["play"]:
        del words[0]
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in ("--state", "--show", "--node"):
        parser.add_argument(name)
    try:
        given, _ = parser.parse_known_args(words)
    except argparse.ArgumentError:  # such as --show with nothing after it: the player will say so
        given = argparse.Namespace(state=None, show=None, node=None)
    if given.state:
        return words, Path(given.state)
    path = state_file(Path(given.show or _DEFAULT_SHOW), given.node or "", environment)
    return [*words, "--state", str(path)], path


def state_file(show: Path, node: str, environment: Mapping[str, str]) -> Path:
    """`<the user's folder for such things>/inspace-ballads/<hash of show and node>.json`."""
    words = f"{os.path.realpath(show)}\n{node}"
    name = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return state_folder(environment) / f"{name}.json"


def state_folder(environment: Mapping[str, str]) -> Path:
    """LOCALAPPDATA on Windows, else XDG_STATE_HOME or ~/.local/state."""
    given = environment.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME", "")
    # the XDG base directory specification has relative paths ignored
    if not os.path.isabs(given):
        given = os.path.expanduser(os.path.join("~", ".local", "state"))
    return Path(given) / "inspace-ballads"
