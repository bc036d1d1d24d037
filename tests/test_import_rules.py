"""Who may import whom, who may read time, and what no file may contain.

The first tests import a module in a fresh interpreter and assert what was not loaded; the others
read the source. import-linter (contracts in pyproject.toml) checks the whole graph besides.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("player", "generator", "shows", "training")
HEAVY = frozenset({"torch", "PIL", "moderngl", "glfw", "pythonosc", "av"})

NOT_LOADED = {
    "shows.timeline": HEAVY | {"player", "generator", "training"},
    "shows.show_file": HEAVY | {"player", "generator", "training"},
    "shows.generator_file": HEAVY | {"player", "generator", "training"},
    "generator": {"player", "shows", "training", "PIL", "moderngl", "glfw", "pythonosc", "av"},
    "training.__main__": HEAVY | {"player", "generator", "shows"},
    "training.pictures.prepare_dataset": {"torch", "player", "moderngl", "glfw", "pythonosc", "av"},
    "training.pictures.collect": {"torch", "player", "moderngl", "glfw", "pythonosc", "av"},
    "training.pictures.credits": {"torch", "player", "moderngl", "glfw", "pythonosc", "av"},
    "player.application": {"torch", "generator", "training"},
    "player.live.synthesis_worker": {"torch", "generator", "training", "moderngl", "glfw"},
    "player.osc.control": {"torch", "PIL", "moderngl", "glfw", "av", "generator", "training"},
    "player.films.film_source": HEAVY | {"generator", "training"},
    "player.films.export": {"torch", "moderngl", "glfw", "generator", "training"},
    "player.transport": HEAVY | {"generator", "training"},
    "player.sync.endpoint": {"torch", "PIL", "moderngl", "glfw", "av", "generator", "training"},
    "player.simulate": {"torch", "PIL", "moderngl", "glfw", "av", "generator", "training"},
    "player.making.new_show": {"torch", "moderngl", "glfw", "av", "pythonosc", "generator"},
    "player.doctor.command": HEAVY - {"pythonosc"} | {"generator", "training"},
    "player.share.command": HEAVY | {"cyndilib", "pyvirtualcam", "generator", "training"},
    "player.making.info": HEAVY | {"generator", "training"},
    "run_installation": {"torch", "generator", "training"},
}

# which files of player/ may import what; everywhere else in it these are forbidden
PLAYER_DOORS = {
    "moderngl": tuple(
        f"wall/{name}"
        for name in (
            "renderer",
            "picture_store",
            "light_levels",
            "streaming",
            "window",
            "window_wall",
            "preview_wall",
        )
    ),
    "glfw": ("wall/desktop",),
    "wakepy": ("wall/stay_awake",),
    "pythonosc": ("osc/packets", "osc/tcp_framing"),
    "PIL": (
        "snapshots",
        "controllers/thumbnails",
        "desk/pictures",
        "desk/latency_watch",
        "cards/identify_card",
        "upkeep/journal_pictures",
        "picture_book/sheet",
    ),
    "av": ("films/encoder", "films/decoder", "films/contact"),
    "aiopjlink": ("projectors",),
    "cyndilib": ("share/outlets",),
    "pyvirtualcam": ("share/outlets",),
    "SpoutGL": ("share/outlets",),
    "syphon": ("share/outlets",),
    "generator": ("live/synthesis_worker",),
    "training": (),
    "torch": (),
    "time": ("clock",),
    "matplotlib": ("upkeep/night_plots",),
    "jinja2": ("upkeep/night_report", "controllers/cue_sheet"),
    "datetime": ("clock", "upkeep/wall_time"),
}


@pytest.mark.parametrize("module", sorted(NOT_LOADED))
def test_importing_does_not_load(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & NOT_LOADED[module] == set()


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported_roots(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Top-level names of all imports, lazy ones included, with their line numbers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Dotted names of what is called, with their line numbers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def test_dependencies_of_the_player_have_one_door_each() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line} imports {root}"
        for path in python_files("player")
        for root, line in imported_roots(ast.parse(path.read_text(encoding="utf-8")))
        if root in PLAYER_DOORS
        and path.relative_to(ROOT / "player").with_suffix("").as_posix() not in PLAYER_DOORS[root]
    ]
    assert faults == []


def door_of(path: Path) -> str:
    """As in "wall/renderer"."""
    return path.relative_to(ROOT / "player").with_suffix("").as_posix()


def test_no_pickle_no_unsafe_yaml_and_no_eval() -> None:
    forbidden = {"pickle.load", "pickle.loads", "yaml.load", "yaml.unsafe_load", "eval", "exec"}
    faults = [
        f"{path.relative_to(ROOT)}:{line} calls {name}"
        for path in [*python_files(*ROOMS), ROOT / "run_installation.py"]
        for name, line in calls(ast.parse(path.read_text(encoding="utf-8")))
        if name in forbidden
    ]
    assert faults == []


def test_no_test_sleeps() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files("tests")
        for name, line in calls(ast.parse(path.read_text(encoding="utf-8")))
        if name in ("time.sleep", "sleep")
    ]
    assert faults == []


def test_no_file_names_a_package_registry() -> None:
    hosts = ["py" + "pi.org", "python" + "hosted.org", "download." + "pytorch.org"]
    suffixes = {".py", ".toml", ".md", ".txt", ".yaml", ".yml", ".json", ".sh", ".cfg", ""}
    skipped = {".git", ".venv", "data", "runs", "work", "node_modules"}
    faults = []
    for path in sorted(ROOT.rglob("*")):
        relative = path.relative_to(ROOT)
        if skipped & set(relative.parts) or path.suffix not in suffixes or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        faults += [f"{relative} names {host}" for host in hosts if host in text]
    assert faults == []
