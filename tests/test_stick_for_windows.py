"""What a stick has for Windows: its wheels seen through, its batch file read, its list of files."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent
STICK = ROOT / "scripts" / "stick"
MINOR = sys.version_info[1]
WINDOWS = f"cp3{MINOR}-cp3{MINOR}-win_amd64"


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)


def fake_wheel(folder: Path, name: str, tag: str, *needs: str, version: str = "1") -> Path:
    """A wheel of a package that has nothing but needs."""
    folder.mkdir(exist_ok=True)
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: live\n"
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    with ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", head + "".join(f"Requires-Dist: {n}\n" for n in needs))
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, STICK / "windows_wheels.py", folder, "live", "--check")


@pytest.mark.slow
def test_the_needs_of_windows_are_downloaded(tmp_path: Path) -> None:
    shelf, out = tmp_path / "shelf", tmp_path / "out"
    mine = ("inspace_drawn; extra == 'live'", "inspace_inner", "inspace_never; extra == 'test'")
    fake_wheel(out, "inspace_ballads_player", "py3-none-any", *mine)
    fake_wheel(shelf, "inspace_drawn", WINDOWS, "inspace_clock; sys_platform == 'win32'")
    fake_wheel(shelf, "inspace_inner", "py3-none-any", "inspace_bus; sys_platform == 'linux'")
    fake_wheel(shelf, "inspace_clock", "py3-none-any", "inspace-inner[live]")
    program = STICK / "windows_wheels.py"
    words = (sys.executable, program, out, "live", "--no-index", "--find-links", shelf)
    done = run(*words)
    assert done.returncode == 0, done.stderr
    found = {wheel.name.partition("-")[0] for wheel in out.glob("*.whl")}
    assert found == {"inspace_ballads_player", "inspace_drawn", "inspace_inner", "inspace_clock"}
    next(shelf.glob("inspace_clock*")).unlink()
    next(out.glob("inspace_clock*")).unlink()
    done = run(*words)
    assert done.returncode == 1 and "inspace_clock" in done.stderr
    assert "has no wheel for Windows" in done.stderr


def test_a_shelf_is_whole_or_every_lack_is_a_sentence(tmp_path: Path) -> None:
    mine = ("inspace_drawn>=2; extra == 'live'", "inspace_inner", "inspace_never; extra == 'test'")
    fake_wheel(tmp_path, "inspace_ballads_player", "py3-none-any", *mine)
    drawn = fake_wheel(tmp_path, "inspace_drawn", WINDOWS, "inspace_inner[live]", version="2.1")
    inner = fake_wheel(
        *(tmp_path, "inspace_inner", "py3-none-any"),
        *("inspace_clock; sys_platform == 'win32' and extra == 'live'", "x; os_name == 'posix'"),
    )
    clock = fake_wheel(tmp_path, "inspace_clock", "py2.py3-none-any", "inspace_drawn<3")
    assert checked(tmp_path).returncode == 0

    clock.unlink()
    done = checked(tmp_path)
    assert done.returncode == 1
    assert re.search(
        r"inspace_inner.* needs inspace_clock.*no wheel of it for Windows", done.stderr
    )

    fake_wheel(tmp_path, "inspace_clock", "py2.py3-none-any", "inspace_drawn<2")
    done = checked(tmp_path)
    assert (
        done.returncode == 1 and "needs inspace_drawn<2, and the wheel there is 2.1" in done.stderr
    )

    drawn.rename(tmp_path / drawn.name.replace("win_amd64", "manylinux_2_28_x86_64"))
    inner.unlink()
    done = checked(tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "the player needs inspace_drawn>=2" in done.stderr
    assert "the player needs inspace_inner," in done.stderr


def test_every_file_of_the_list_is_looked_at(tmp_path: Path) -> None:
    check = tmp_path / "check.py"
    check.write_bytes((STICK / "check.py").read_bytes())
    (tmp_path / "a folder").mkdir()
    page, other = tmp_path / "a folder" / "show.yaml", tmp_path / "about"
    page.write_text("a show\n")
    other.write_text("about\n")
    (tmp_path / "SHA256SUMS").write_text(
        "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(tmp_path)}\n"
            for path in (page, other, check)
        )
    )
    done = run(sys.executable, check)
    assert (done.returncode, done.stdout) == (0, "")
    page.write_text("another\n")
    other.unlink()
    done = run(sys.executable, check)
    assert done.returncode == 1
    assert "./a folder/show.yaml is damaged" in done.stdout and "./about is damaged" in done.stdout
    assert "check.py" not in done.stdout


def batch_lines() -> list[str]:
    return (STICK / "install.bat").read_text(encoding="ascii").splitlines()


def test_paths_of_the_batch_file_may_have_spaces_and_ampersands() -> None:
    for line in batch_lines():
        outside = "".join(line.split('"')[::2])
        if line.startswith(">"):  # what is written into play.bat is quoted there
            outside = outside.replace("%%*", "")
        assert "%" not in outside, line


def test_every_step_of_the_batch_file_that_can_fail_is_looked_at() -> None:
    lines = batch_lines()
    labels = {line[1:] for line in lines if line.startswith(":")}
    jumps = {word for line in lines for word in re.findall(r"goto (\w+)", line)}
    assert jumps <= labels and labels - jumps == set()
    steps = [n for n, line in enumerate(lines) if re.match(r'py |xcopy |"%TARGET%', line)]
    assert len(steps) == 5
    assert all(lines[n + 1].startswith("if errorlevel 1 ") for n in steps)
    # a block in parentheses ends at the first ")" of a path in it
    assert not [line for line in lines if "(" in line]
