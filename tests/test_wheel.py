"""The wheel: installs into a fresh environment, plays from any folder, and writes nothing there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image, ImageStat

from shows.show_file import load_show

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "run_installation.py")
ROOMS = ("player", "generator", "shows", "training")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(*words: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As a stranger would: without the repository on any path."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "DISPLAY", "INSPACE_COMMAND"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        words,
        cwd=cwd,
        env={**kept, "OMP_NUM_THREADS": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy, so that no build folder is left in the tree or taken from it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    made = shutil.ignore_patterns("__pycache__", "work")
    for name in ROOMS:
        shutil.copytree(ROOT / name, source / name, ignore=made)
    shutil.rmtree(source / "shows" / "inspace" / "films", ignore_errors=True)
    for name in ("films", "work"):  # as they are after an evening: they must stay out
        (source / "shows" / "inspace" / name).mkdir()
        (source / "shows" / "inspace" / name / "made.mp4").write_bytes(b"a film")
    words = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), "./source")
    done = run(*words, cwd=folder)
    if done.returncode and "setuptools" in done.stderr and "No matching" in done.stderr:
        pytest.skip("pip cannot have setuptools here")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Path:
    """A fresh one with the wheel; what it depends on is borrowed from this one."""
    folder = wheel.parent / "environment"
    venv.create(folder, with_pip=False)
    purelib = next((folder / "lib").glob("python3*")) / "site-packages"
    # a .pth in a borrowed folder is not read, so the editable install there stays out of it
    (purelib / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"))
    done = run(*pip, "install", "-q", "--no-deps", "--ignore-installed", wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def installed_files(environment: Path) -> set[Path]:
    found = (environment / "lib").rglob("*")
    return {path for path in found if path.suffix != ".pyc" and path.name != "__pycache__"}


def test_it_has_the_show_and_every_module_and_nothing_made_later(wheel: Path) -> None:
    with ZipFile(wheel) as files:
        names = set(files.namelist())
    modules = {path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert {path.as_posix() for path in modules} <= names
    rooms = [ROOT / room for room in ROOMS if room != "shows"]
    found = [path for room in rooms for path in room.rglob("*") if path.is_file()]
    others = [path for path in found if path.suffix not in (".py", ".pyc")]
    assert {path.relative_to(ROOT).as_posix() for path in others} <= names
    show = load_show(ROOT / "shows" / "inspace")
    for ballad in show.ballads:
        assert f"shows/inspace/ballads/{ballad.id}/latents.safetensors" in names
    assert not [name for name in names if name.endswith(".mp4") or "/work/" in name]


def test_it_plays_the_shipped_show_from_any_folder(environment: Path, tmp_path: Path) -> None:
    where = run(
        environment / "bin" / "python",
        *("-c", "import player, run_installation as r; print(player.__file__); print(r.PROGRAM)"),
        cwd=tmp_path,
    )
    assert where.returncode == 0, where.stderr
    assert all(line.startswith(str(environment)) for line in where.stdout.splitlines())
    before = installed_files(environment)
    program = environment / "bin" / "inspace-ballads"
    options = ("--outputs", "headless", "--size", "64x64", "--osc-port", "0")
    done = run(program, "--frames", "30", *options, "--snapshot", "seen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The screens show live pictures." in done.stderr
    pictures = [Image.open(path).convert("RGB") for path in (tmp_path / "seen").glob("*.png")]
    assert len(pictures) == 7
    assert all(sum(ImageStat.Stat(picture).stddev) > 30 for picture in pictures)
    assert installed_files(environment) == before


def test_its_verbs_say_what_they_do(environment: Path, tmp_path: Path) -> None:
    program = environment / "bin" / "inspace-ballads"
    told = run(program, "--help", cwd=tmp_path)
    assert told.returncode == 0 and "Shows a set of ballads" in told.stdout
    assert told.stdout.startswith("usage: inspace-ballads ")
    told = run(program, "export", "--help", cwd=tmp_path)
    assert told.stdout.startswith("usage: inspace-ballads export ")
    told = run(program, "new", "mine", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert f"Play it: {program} --show mine" in told.stdout  # it is on no PATH
    paths = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    told = run(program, "new", "theirs", cwd=tmp_path, PATH=paths)
    assert "Play it: inspace-ballads --show theirs" in told.stdout
    told = run(program, "info", "nowhere", cwd=tmp_path)
    assert told.returncode == 1 and told.stderr.startswith("inspace-ballads info: ")
    words = ("--mode", "film", "--outputs", "headless", "--frames", "2", "--osc-port", "0")
    told = run(program, "--show", "mine", *words, cwd=tmp_path)
    assert f"Make them with: {program} export --show mine" in told.stderr
    assert (tmp_path / "mine" / "show.yaml").is_file()
    told = run(program, "validate", "mine", cwd=tmp_path)
    assert told.returncode == 0, told.stderr


def test_what_is_made_of_the_shipped_show_is_kept_with_the_user(
    environment: Path, tmp_path: Path
) -> None:
    before = installed_files(environment)
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    made = tmp_path / "state" / "inspace-ballads" / "shows" / "inspace"
    program = environment / "bin" / "inspace-ballads"
    done = run(program, "preview", "--every", "300", cwd=tmp_path, **state)
    assert done.returncode == 0, done.stderr
    work = made / "work" / "twa-corbies"
    assert [path.name for path in sorted(work.iterdir())] == ["preview.mp4", "preview.png"]
    folders = run(
        environment / "bin" / "python",
        "-c",
        "from pathlib import Path\n"
        "from run_installation import DEFAULT_SHOW\n"
        "from shows.show_file import load_show\n"
        "from player.films.film_facts import film_path, films_folder\n"
        "from player.made_folder import made_folder\n"
        "show = load_show(DEFAULT_SHOW)\n"
        "print(films_folder(show), film_path(show, 'tam-lin'), sep='\\n')\n"
        "print(made_folder(Path('mine')))",
        cwd=tmp_path,
        **state,
    )
    assert folders.returncode == 0, folders.stderr
    told = folders.stdout.splitlines()
    assert told == [str(made / "films"), str(made / "films" / "tam-lin.mp4"), "mine"]
    assert installed_files(environment) == before
