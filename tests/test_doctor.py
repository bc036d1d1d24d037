"""The doctor as a process, on a healthy set-up and on broken ones: each fault is named by one
check, and every other check says what it says of the healthy one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from player.films.film_facts import film_path
from player.upkeep.process_family import family_members
from shows.latent_set import read_latent_set, write_latent_set
from shows.schema import Node
from shows.show import Show
from shows.show_file import load_show, save_ballad, save_settings
from tests.doctor_cases import (
    ROOT,
    Told,
    command_of,
    doctor,
    environment_of,
    fake_tool,
    make_healthy_show,
)
from tests.installation_process import Installation
from tests.tick_helpers import wait_for

pytestmark = pytest.mark.slow
CARD = "case $1 in *temperature*) echo {};; *) echo 'NVIDIA X, 550.1, 100 MiB';; esac"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")


@dataclass(frozen=True)
class Healthy:
    show: Show
    told: Told


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    folder = tmp_path_factory.mktemp("healthy")
    show = make_healthy_show(folder / "show")
    return Healthy(show, doctor(show.folder, "--fast", home=folder / "home"))


@pytest.fixture
def show(healthy: Healthy, tmp_path: Path) -> Show:
    """A copy that a test may break."""
    shutil.copytree(healthy.show.folder, tmp_path / "show")
    return load_show(tmp_path / "show")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def only(told: Told, healthy: Healthy, name: str, state: str, *words: str) -> None:
    """The fault is in that check and nowhere else."""
    assert told.changed(healthy.told) == {name: state}, told.checks
    for word in words:
        assert word in told.finding(name), told.finding(name)


def test_a_healthy_set_up_has_no_red_and_nothing_is_invented(healthy: Healthy) -> None:
    states = healthy.told.states()
    assert "red" not in states.values(), healthy.told.checks
    # what this machine may truly have: no display, no graphics card, or a busy memory
    assert {name for name, state in states.items() if state == "amber"} <= {
        "outputs",
        "opengl",
        "memory",
        "disk",
    }, healthy.told.checks
    for name in ("show", "generator", "latents", "films", "engine", "ports", "nodes", "files"):
        assert states[name] == "green", healthy.told.checks[name]
    assert "2 films, whole" in healthy.told.finding("films")
    assert healthy.told.finding("engine") == "Not measured, because of --fast."


def test_a_broken_show_file(healthy: Healthy, show: Show, home: Path) -> None:
    path = show.folder / "show.yaml"
    path.write_text(path.read_text().replace("ballad: ballad-1", "ballad: nobody"))
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "show", "red", "show.yaml: screens[0].ballad", "nobody")
    assert told.finding("latents") == "Cannot be judged before `show` is mended."


def test_no_show_at_all(healthy: Healthy, tmp_path: Path, home: Path) -> None:
    told = doctor(tmp_path / "nothing", "--fast", home=home)
    only(told, healthy, "show", "red", "There is no show in")


def test_a_painting_that_is_missing(healthy: Healthy, show: Show, home: Path) -> None:
    show.painting_path("ballad-2", 1).unlink()
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "show", "amber", "ballads/ballad-2/paintings/2.png is missing")


def test_latents_that_are_missing(healthy: Healthy, show: Show, home: Path) -> None:
    show.latents_path("ballad-2").unlink()
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "latents", "red", "ballads/ballad-2/latents.safetensors is missing")


def test_latents_of_another_model(healthy: Healthy, show: Show, home: Path) -> None:
    path = show.latents_path("ballad-1")
    write_latent_set(path, replace(read_latent_set(path), generator_hash="abc" * 20))
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "latents", "red", "ballad-1/latents", "abcabcabc")


def test_latents_that_are_damaged(healthy: Healthy, show: Show, home: Path) -> None:
    path = show.latents_path("ballad-1")
    path.write_bytes(path.read_bytes()[:-7])
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "latents", "red", "ballad-1/latents", "bytes long")


def test_a_generator_that_is_cut_short(healthy: Healthy, show: Show, home: Path) -> None:
    path = show.generator_path
    path.write_bytes(path.read_bytes()[:-100])
    told = doctor(show.folder, home=home)
    only(told, healthy, "generator", "red", "copy it again")
    assert told.finding("engine") == "Cannot be judged before `generator` is mended."


def test_a_generator_with_one_wrong_weight(healthy: Healthy, show: Show, home: Path) -> None:
    data = bytearray(show.generator_path.read_bytes())
    data[-100] ^= 1
    show.generator_path.write_bytes(data)
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "generator", "red", "is damaged")


def test_a_film_that_is_missing(healthy: Healthy, show: Show, home: Path) -> None:
    film_path(show, "ballad-2").unlink()
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "films", "amber", "No film of ballad-2.")


def test_a_film_that_is_out_of_date(healthy: Healthy, show: Show, home: Path) -> None:
    save_ballad(show.folder, show.ballad("ballad-1").model_copy(update={"loop_strength": 0.9}))
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "films", "amber", "ballad-1.mp4 was made of another version")


def test_a_film_that_is_cut_short(healthy: Healthy, show: Show, home: Path) -> None:
    path = film_path(show, "ballad-1")
    path.write_bytes(path.read_bytes()[:-200])
    told = doctor(show.folder, "--fast", home=home)
    only(told, healthy, "films", "amber", "ballad-1.mp4")


@on_linux
def test_a_port_that_another_program_holds(healthy: Healthy, show: Show, home: Path) -> None:
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.bind(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        port = held.stdout.readline().strip()
        told = doctor(show.folder, "--fast", "--osc-port", port, home=home)
        held.communicate("")
    only(told, healthy, "ports", "red", f"port {port}", f"(process {held.pid})")
    assert "--osc-port" in told.checks["ports"]["mend"]


@pytest.mark.alone
@on_linux
def test_a_player_that_runs_is_named_and_left_alone(
    healthy: Healthy, show: Show, home: Path
) -> None:
    words = ("--show", show.folder, "--outputs", "headless", "--mode", "film")
    with Installation(*words, DISPLAY="") as run:
        port = run.said(r"OSC: \S+ port (\d+)")[1]
        run.status_with("frame [1-9]")
        told = doctor(show.folder, "--osc-port", port, home=home)
        assert run.ends_within_a_second_of(signal.SIGTERM)
    assert told.changed(healthy.told) == {}, told.checks
    assert f"answers at OSC port {port}" in told.finding("ports")
    assert f"(process {run.pid})" in told.finding("ports")
    assert "Not measured: a player runs here." in told.finding("engine")


@on_linux
def test_a_full_disk(healthy: Healthy, show: Show, home: Path, tmp_path: Path) -> None:
    """A real one of 1 MB, where state and journal are kept."""
    full = tmp_path / "full"
    full.mkdir()
    mount = f"mount -t tmpfs -o size=1m none {full} && exec "
    script = mount + '"$@"'
    before = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    told = doctor(show.folder, "--fast", home=home, before=before, XDG_STATE_HOME=str(full))
    only(told, healthy, "disk", "red", "The disk is full", str(full))


def test_a_file_in_the_place_of_the_state_folder(healthy: Healthy, show: Show, home: Path) -> None:
    home.mkdir()
    (home / "taken").write_text("")
    told = doctor(show.folder, "--fast", home=home, XDG_STATE_HOME=str(home / "taken"))
    only(told, healthy, "files", "amber", "taken is a file, not a folder")


def with_nodes(show: Show, *hosts: str) -> None:
    """A node for each screen: this machine first, then one at `host:port`."""
    places = [("127.0.0.1", free_port()), *(host.split(":") for host in hosts)]
    nodes = tuple(
        Node(name=f"node-{n}", host=str(host), port=int(port), screens=(screen.name,))
        for n, ((host, port), screen) in enumerate(
            zip(places, show.settings.screens, strict=True), 1
        )
    )
    save_settings(show.folder, show.settings.model_copy(update={"nodes": nodes}))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def test_a_node_that_cannot_be_reached(healthy: Healthy, show: Show, home: Path) -> None:
    with_nodes(show, "no-such-machine.invalid:9010")
    told = doctor(show.folder, "--fast", "--node", "node-1", home=home)
    only(told, healthy, "nodes", "red", "node-2", "cannot be reached", "no-such-machine.invalid")


@on_linux
def test_a_node_without_a_player(healthy: Healthy, show: Show, home: Path) -> None:
    port = free_port()
    with_nodes(show, f"127.0.0.1:{port}")
    told = doctor(show.folder, "--fast", "--node", "node-1", home=home)
    only(told, healthy, "nodes", "amber", f"no player listens at port {port}")


def test_a_node_that_is_not_in_the_list(healthy: Healthy, show: Show, home: Path) -> None:
    told = doctor(show.folder, "--fast", "--node", "nobody", home=home)
    only(told, healthy, "nodes", "red", "no node 'nobody'")


def test_a_machine_file_without_its_monitors(healthy: Healthy, show: Show, home: Path) -> None:
    machine = home.with_name("machine.yaml")
    machine.write_text("schema_version: 1\nscreens: [{screen: screen-1, output: DP-7}]\n")
    told = doctor(show.folder, "--fast", "--machine", machine, home=home)
    only(told, healthy, "outputs", "red", "there is no monitor")


def test_a_broken_machine_file(healthy: Healthy, show: Show, home: Path) -> None:
    machine = home.with_name("machine.yaml")
    machine.write_text("schema_version: 1\nscreens: [{screen: window-9, output: DP-7}]\n")
    told = doctor(show.folder, "--fast", "--machine", machine, home=home)
    only(told, healthy, "outputs", "red", "machine.yaml: screens[0].screen", "window-9")


@on_linux
@pytest.mark.parametrize(
    ("tool", "script", "name", "state", "word"),
    [
        ("timedatectl", "echo no", "clock", "amber", "not set by the network (timedatectl)"),
        ("powerprofilesctl", "echo power-saver", "power", "amber", "power-saver"),
        ("nvidia-smi", "echo 'it cannot talk to the driver'; exit 9", "gpu", "red", "fails: "),
        ("nvidia-smi", "exec sleep 600", "gpu", "red", "does not answer within 5 s"),
        ("nvidia-smi", CARD.format(61), "", "", "Graphics card 61 °C."),
        ("nvidia-smi", CARD.format(97), "temperature", "red", "raphics card 97 °C"),
    ],
)
def test_what_the_systems_own_tools_say(
    healthy: Healthy,
    show: Show,
    home: Path,
    tool: str,
    script: str,
    name: str,
    state: str,
    word: str,
) -> None:
    path = fake_tool(home.with_name("tools"), tool, script)
    told = doctor(show.folder, "--fast", home=home, PATH=path, DOCTOR_TEST=str(home))
    if name:
        only(told, healthy, name, state, word)
    else:
        assert told.changed(healthy.told) == {}
        assert told.finding("gpu") == "NVIDIA X, driver 550.1, 100 MiB."
        assert word.lower() in told.finding("temperature").lower()
    assert wait_for(lambda: family_members("DOCTOR_TEST", str(home)) == [], seconds=2)


@on_linux
def test_without_opengl(healthy: Healthy, show: Show, home: Path) -> None:
    nowhere = {"__EGL_VENDOR_LIBRARY_DIRS": str(home), "LIBGL_DRIVERS_PATH": str(home)}
    told = doctor(show.folder, "--fast", home=home, **nowhere)
    only(told, healthy, "opengl", "red", "Drawing without a display failed")


def test_without_torch(healthy: Healthy, show: Show, home: Path) -> None:
    """An import hook that every Python of ours loads at its start."""
    hook = home.with_name("hook")
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch':\n"
        "            raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
    )
    path = os.pathsep.join((str(ROOT), str(hook)))
    told = doctor(show.folder, home=home, PYTHONPATH=path)
    only(told, healthy, "engine", "amber", "torch is missing", "The films will play instead.")
    film_path(show, "ballad-1").unlink()
    told = doctor(show.folder, home=home, PYTHONPATH=path)
    assert told.changed(healthy.told) == {"engine": "red", "films": "amber"}


def test_the_text_for_people(healthy: Healthy, show: Show, home: Path) -> None:
    film_path(show, "ballad-2").unlink()
    done = subprocess.run(
        command_of(show.folder, "--fast"),
        cwd=ROOT,
        env=environment_of(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("[ !! ] films"))
    assert "No film of ballad-2." in lines[at]
    assert "-> Make them: " in lines[at + 1] and "run_installation.py export" in lines[at + 1]
    assert lines[0].startswith("[ ok ] show") and lines[-1].startswith("Verdict: amber (")


@pytest.fixture
def asleep(home: Path) -> str:
    """A PATH with a driver's tool that hangs."""
    return fake_tool(home.with_name("tools"), "nvidia-smi", "exec sleep 600")


@on_linux
def test_ctrl_c_leaves_no_verdict_and_nothing_behind(show: Show, home: Path, asleep: str) -> None:
    environment = environment_of(home, PATH=asleep, DOCTOR_TEST=str(home))
    running = subprocess.Popen(
        command_of(show.folder),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert wait_for(lambda: len(family_members("DOCTOR_TEST", str(home))) > 2, seconds=40)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 130, err
    assert out == "" and err.strip() == "The doctor was interrupted: there is no verdict."
    assert wait_for(lambda: family_members("DOCTOR_TEST", str(home)) == [], seconds=5)
