"""Download what a wheel needs on 64-bit Windows: windows_wheels.py FOLDER EXTRAS [PIP-ARGUMENT...].

FOLDER has the player's wheel. `pip download --platform` asks the markers of the machine it runs on
(sys_platform == "win32" and the like), so it would fetch Linux's packages for Windows; here they
are asked for Windows, a package at a time, at the versions of constraints.txt. Then it is seen
whether every need is met by a wheel in FOLDER, for Windows and of a version that is wanted; with
--check in place of pip's arguments nothing but that is done.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[2]
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
WINDOWS = {
    "sys_platform": "win32",
    "platform_system": "Windows",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_release": "10",
    "platform_version": "10.0",
}


def needs(wheel: Path, extras: Sequence[str]) -> list[Requirement]:
    """What a wheel asks for on Windows, with these extras."""
    with ZipFile(wheel) as files:
        name = next(name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        text = files.read(name).decode("utf-8")
    wanted = map(Requirement, HeaderParser().parsestr(text).get_all("Requires-Dist", []))
    return [need for need in wanted if _holds(need, extras)]


def _holds(need: Requirement, extras: Sequence[str]) -> bool:
    marker = need.marker
    return marker is None or any(
        marker.evaluate({**WINDOWS, "extra": extra}) for extra in (*extras, "")
    )


def unmet(folder: Path, extras: Sequence[str]) -> list[str]:
    """A sentence for every need that no wheel of the folder meets on Windows."""
    python = sys.version_info[:2]
    platforms = ["win_amd64"]
    tags = {*cpython_tags(python, platforms=platforms), *compatible_tags(python, None, platforms)}
    shelf = {}
    for path in folder.glob("*.whl"):
        name, version, _, fits = parse_wheel_filename(path.name)
        if fits & tags:
            shelf[name] = (version, path)
    faults: dict[str, None] = {}
    open_needs = [("the player", need) for need in needs(_mine(folder), extras)]
    seen: set[tuple[str, str]] = set()
    while open_needs:
        who, need = open_needs.pop()
        version, path = shelf.get(canonicalize_name(need.name), (None, None))
        if version is None or path is None:
            faults[f"{who} needs {need}, and there is no wheel of it for Windows."] = None
        elif not need.specifier.contains(version, prereleases=True):
            faults[f"{who} needs {need}, and the wheel there is {version}."] = None
        else:
            key = (path.name, ",".join(sorted(need.extras)))
            wanted = [] if key in seen else needs(path, sorted(need.extras))
            open_needs += [(need.name, inner) for inner in wanted]
            seen.add(key)
    return sorted(faults)


def _mine(folder: Path) -> Path:
    return next(folder.glob("inspace_ballads_player-*.whl"))


def check(folder: Path, extras: Sequence[str]) -> int:
    """Tells what is not met; the exit status."""
    faults = unmet(folder, extras)
    for fault in faults:
        print(f"pack: {fault}", file=sys.stderr)
    return 1 if faults else 0


def main(folder: Path, extras: Sequence[str], pip_arguments: Sequence[str]) -> int:
    """Download until nothing is missing; the exit status."""
    if list(pip_arguments) == ["--check"]:
        return check(folder, extras)
    pins = ROOT / "constraints.txt"
    open_needs = needs(_mine(folder), extras)
    seen: set[tuple[str, str]] = set()
    while open_needs:
        need = open_needs.pop()
        name = canonicalize_name(need.name)
        key = (name, ",".join(sorted(need.extras)))
        if key in seen:
            continue
        seen.add(key)
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "-q"]
        command += ["--no-deps", "--only-binary=:all:", "--platform=win_amd64", "-c", str(pins)]
        command += [f"--python-version={PYTHON}", "-d", str(folder), *pip_arguments]
        if subprocess.run([*command, f"{need.name}{need.specifier}"], check=False).returncode:
            print(f"pack: {need} has no wheel for Windows that pip can find.", file=sys.stderr)
            return 1
        wheel = next(w for w in folder.glob("*.whl") if parse_wheel_filename(w.name)[0] == name)
        open_needs += needs(wheel, sorted(need.extras))
    return check(folder, extras)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:]))
