"""Download what a wheel needs on 64-bit Windows: windows_wheels.py FOLDER EXTRAS [PIP-ARGUMENT...].

FOLDER has the player's wheel. `pip download --platform` asks the markers of the machine it runs on
(sys_platform == "win32" and the like), so it would fetch Linux's packages for Windows; here they
are asked for Windows, a package at a time, at the versions of constraints.txt.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
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


def main(folder: Path, extras: Sequence[str], pip_arguments: Sequence[str]) -> int:
    """Download until nothing is missing; the exit status."""
    mine = next(folder.glob("inspace_ballads_player-*.whl"))
    pins = ROOT / "constraints.txt"
    open_needs = needs(mine, extras)
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
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:]))
