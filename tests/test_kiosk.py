"""A machine that only plays: what the script writes, undoes and leaves alone, in a root of tests.

The screens' own commands are run by hand with a real X server; systemd itself is only asked whether
it understands the units.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from run_installation import build_parser

ROOT = Path(__file__).resolve().parent.parent
UNITS = Path("etc/systemd/system")
TARGET = "inspace-ballads.target"
USER = next((u.pw_name for u in pwd.getpwall() if u.pw_uid), "") if os.name == "posix" else ""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kiosk is for Linux")


def kiosk(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts/kiosk", "--root", root, "--user", USER, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def contents(root: Path) -> dict[str, str]:
    """Every file and link below it."""
    return {
        str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def values(unit: Path, name: str) -> list[str]:
    """All that a unit says of one thing, its continued lines joined."""
    text = unit.read_text().replace("\\\n", " ")
    found = [line.partition("=") for line in text.splitlines() if not line.startswith("#")]
    return [value for key, _, value in found if key == name]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a desktop, and one timer that its owner has switched off before."""
    root = tmp_path / "machine"
    (root / UNITS).mkdir(parents=True)
    (root / UNITS / "default.target").symlink_to("/lib/systemd/system/graphical.target")
    (root / UNITS / "apt-daily.timer").symlink_to("/dev/null")
    return root


def test_a_dry_run_says_everything_and_does_nothing(machine: Path) -> None:
    before = contents(machine)
    told = kiosk(machine, "--dry-run")
    assert told.returncode == 0, told.stderr
    assert contents(machine) == before
    would = [line.removeprefix("would ") for line in told.stdout.splitlines() if "would " in line]
    done = kiosk(machine)
    assert [line for line in done.stdout.splitlines() if line in would] == would
    assert len(would) == len(contents(machine).keys() - before.keys()) + 1  # and the default target
    assert "After power loss" in told.stdout


def test_said_again_it_has_nothing_to_do_and_undone_all_is_as_before(machine: Path) -> None:
    before = contents(machine)
    assert kiosk(machine).returncode == 0
    written = contents(machine)
    assert written[str(UNITS / "default.target")] == TARGET
    assert written[str(UNITS / "apt-daily-upgrade.timer")] == "/dev/null"
    assert written[str(UNITS / "suspend.target")] == "/dev/null"
    assert kiosk(machine).stdout == "Nothing to do.\n"
    changed = kiosk(machine, "--", "--stamp")
    assert "inspace-ballads.service" in changed.stdout
    assert contents(machine)[str(UNITS / "inspace-ballads.service")].count("--stamp") == 1
    done = kiosk(machine, "--remove")
    assert done.returncode == 0, done.stderr
    assert contents(machine) == before
    assert kiosk(machine, "--remove").stdout == "Nothing to do.\n"


def test_what_is_half_done_is_finished_and_a_link_of_the_owner_stays(machine: Path) -> None:
    before = contents(machine)
    kiosk(machine)
    (machine / UNITS / TARGET).unlink()
    assert TARGET in kiosk(machine).stdout
    default = machine / UNITS / "default.target"
    default.unlink()
    default.symlink_to("/lib/systemd/system/multi-user.target")
    kiosk(machine, "--remove")
    assert os.readlink(default).endswith("multi-user.target")
    assert contents(machine).keys() == before.keys()


def test_a_file_of_somebody_else_is_not_overwritten(machine: Path) -> None:
    theirs = machine / UNITS / "inspace-ballads.service"
    theirs.write_text("[Service]\n")
    before = contents(machine)
    done = kiosk(machine)
    assert done.returncode == 69 and "not by this script" in done.stderr
    assert contents(machine) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--user", "root"), "does not run as root"),
        (("--user", "no-such-person"), "There is no user no-such-person"),
        (("--folder", "/no/player"), "There is no player in /no/player"),
    ],
)
def test_faults_are_sentences(machine: Path, words: tuple[str, str], sentence: str) -> None:
    done = kiosk(machine, *words)
    assert done.returncode == 69 and sentence in done.stderr


def test_the_player_is_the_watched_one_with_options_it_understands(machine: Path) -> None:
    kiosk(machine, "--", "--machine", "/srv/my wall.yaml", "--osc-host", "0.0.0.0")
    unit = machine / UNITS / "inspace-ballads.service"
    python, program, *words = shlex.split(values(unit, "ExecStart")[0])
    assert Path(program) == ROOT / "run_installation.py" and python.endswith("/bin/python")
    args = build_parser().parse_args(words)
    assert args.machine == Path("/srv/my wall.yaml") and args.osc_host == "0.0.0.0"
    assert str(args.state).startswith("%S/") and str(args.journal).startswith("%S/")
    assert values(unit, "User") == [USER]
    assert "DISPLAY=:0" in values(unit, "Environment")[0]
    template = ROOT / "scripts" / "inspace-ballads.service"
    for name in ("Type", "WatchdogSec", "Restart", "RestartSec", "TimeoutStopSec", "KillMode"):
        assert values(unit, name) == values(template, name) != []
    assert not [line for line in unit.read_text().splitlines() if "graphical-session" in line]
    assert values(unit, "Requires") == values(unit, "After") == ["inspace-ballads-screen.service"]


def test_the_player_of_a_stick_is_taken_as_well(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "play").write_text("#!/bin/sh\n")
    assert kiosk(machine, "--folder", str(tmp_path)).returncode == 0
    command = values(machine / UNITS / "inspace-ballads.service", "ExecStart")[0]
    assert command.startswith(f"{tmp_path}/play --state ")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_finds_no_fault_in_the_units(machine: Path) -> None:
    kiosk(machine)
    names = [f"inspace-ballads{rest}" for rest in ("-screen.service", ".service", ".target")]

    def verdict() -> list[str]:
        done = subprocess.run(
            ["systemd-analyze", "verify", *(str(machine / UNITS / name) for name in names)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        # programs of the machine that plays may be missing here
        lines = [line for line in done.stderr.splitlines() if str(machine) in line]
        return [line for line in lines if "is not executable" not in line and "Special" not in line]

    assert verdict() == []
    screen = machine / UNITS / names[0]
    screen.write_text(screen.read_text().replace("RestartSec=", "RestartSeconds="))
    assert "RestartSeconds" in verdict()[0]


DUMMY = """
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 16384
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  DefaultDepth 24
EndSection
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="the screens are root's")
def test_the_screens_are_black_without_saver_and_closed_to_strangers(
    machine: Path, tmp_path: Path
) -> None:
    """The unit's own three commands with a real X server; its outputs and number are changed."""
    needed = ("Xorg", "xauth", "xset", "maim")
    missing = [name for name in needed if not shutil.which(name)]
    if missing or not list(Path("/usr/lib/xorg/modules/drivers").glob("dummy_drv.so")):
        pytest.skip(f"no virtual screen: {', '.join(missing) or 'the dummy driver'} is missing")
    kiosk(machine)
    unit = machine / UNITS / "inspace-ballads-screen.service"
    number = next(n for n in range(180, 280) if not Path(f"/tmp/.X{n}-lock").exists())
    cookie = tmp_path / "cookie"

    def command(name: str) -> list[str]:
        text = values(unit, name)[0].replace("/run/inspace-ballads/cookie", str(cookie))
        return shlex.split(text.replace("$$", "$").replace(":0", f":{number}"))

    with_cookie = {**os.environ, "XAUTHORITY": str(cookie), "DISPLAY": f":{number}"}
    subprocess.run(command("ExecStartPre"), env=with_cookie, check=True, timeout=30)
    assert cookie.owner() == USER and cookie.stat().st_mode & 0o077 == 0
    (tmp_path / "xorg.conf").write_text(DUMMY)
    words = [word for word in command("ExecStart") if word != "vt7"]  # there is no console here
    words += ["-config", str(tmp_path / "xorg.conf"), "-logfile", str(tmp_path / "log")]
    with (tmp_path / "said").open("w") as said:
        server = subprocess.Popen(words, stdout=said, stderr=said)
    try:
        subprocess.run(command("ExecStartPost"), env=with_cookie, check=True, timeout=30)
        told = subprocess.check_output(["xset", "q"], env=with_cookie, text=True, timeout=30)
        assert "timeout:  0" in told and "DPMS is Enabled" not in told
        # -u: maim would paint the server's pointer into its picture, shown or not
        subprocess.run(
            ["maim", "-u", tmp_path / "seen.png"], env=with_cookie, check=True, timeout=30
        )
        assert Image.open(tmp_path / "seen.png").convert("RGB").getextrema() == ((0, 0),) * 3
        stranger = {**with_cookie, "XAUTHORITY": str(tmp_path / "nothing")}
        assert subprocess.run(["xset", "q"], env=stranger, check=False, timeout=30).returncode != 0
    finally:
        server.terminate()
        server.wait(timeout=30)
