"""What this program is called where it runs: for usage, and for sentences that say what to type."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

PACKAGE = "inspace-ballads-player"
COMMAND = "inspace-ballads"  # that pip installs, see pyproject.toml
SCRIPT = "run_installation.py"
GIVEN = "INSPACE_COMMAND"  # a script that starts this program says here how it was called itself
ROOT = Path(__file__).resolve().parents[1]


def is_installed() -> bool:
    """Whether this is an installed package, whose folder is not the user's, and no clone."""
    return not (ROOT / "pyproject.toml").is_file()


def program_name() -> str:
    """For usage and the beginning of a complaint: as in `inspace-ballads`."""
    given = os.environ.get(GIVEN)
    return given or (COMMAND if _is_command() else SCRIPT)


def command(*words: str) -> str:
    """A line to be typed into the terminal that this program was started from."""
    return " ".join([_typed(), shlex.join(words)]).strip()


def pip_install(extra: str) -> str:
    """What installs an extra of pyproject.toml into this environment."""
    python = _python()
    if is_installed():
        return f"{python} -m pip install '{PACKAGE}[{extra}]'"
    return f"{python} -m pip install -c constraints.txt -e '.[{extra}]' in {ROOT}"


def _is_command() -> bool:
    return Path(sys.argv[0]).stem == COMMAND or is_installed()


def _typed() -> str:
    given = os.environ.get(GIVEN)
    if given:
        return shlex.quote(given)
    if _is_command():
        called = sys.argv[0] if Path(sys.argv[0]).stem == COMMAND else COMMAND
        return COMMAND if shutil.which(COMMAND) else shlex.quote(called)
    script = sys.argv[0] if Path(sys.argv[0]).name == SCRIPT else str(ROOT / SCRIPT)
    return f"{_python()} {shlex.quote(_short(script))}"


def _python() -> str:
    if shutil.which("python") == sys.executable:  # of an environment that is switched on
        return "python"
    return shlex.quote(_short(sys.executable))


def _short(path: str) -> str:
    """As seen from the working folder, where it lies in there."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here)
