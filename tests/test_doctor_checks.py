"""The doctor's parts by themselves: verdicts, time limits, hashes, other machines, ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from generator.checkpoint import save_generator
from generator.engine import open_engine
from player.clock import HouseClock
from player.doctor.engine import judged, pictures_at_once
from player.doctor.engine_child import pictures_per_second, plain_path
from player.doctor.finding import (
    Finding,
    amber,
    as_json,
    as_text,
    exit_code,
    green,
    joined,
    red,
    verdict,
)
from player.doctor.graphics import nvidia_on_the_bus
from player.doctor.helpers import Helpers
from player.doctor.network import judged_node, judged_status
from player.doctor.node_probe import Probe, probe
from player.doctor.patient import DoctorOptions, Patient
from player.doctor.rounds import CHECKS, Check, in_order, rounds
from player.doctor.show_files import content_hash_of
from player.doctor.storage import films_to_come_mb, judged_disk
from player.doctor.system import (
    judged_memory,
    judged_temperature,
    look_at_clock,
    windows_clock,
)
from player.films.library import Film, FilmCheck
from player.sync.endpoint import NodeAddress, SyncEndpoint
from player.upkeep.process_family import family_members
from shows.generator_file import read_generator_info
from shows.schema import Node, Screen
from shows.show import Show
from tests.doctor_cases import fake_tool
from tests.test_two_nodes import free_ports
from tests.tick_helpers import wait_for
from tests.tiny_networks import random_generator

ROOT = Path(__file__).parents[1]
PATIENT = Patient(DoctorOptions(Path("show")))
FOUND = (green("a", "All is well."), amber("bb", "It drips.", "Mop."), red("c", "Fire.", "Run."))


def test_the_verdict_is_the_worst_and_so_is_the_exit_code() -> None:
    assert [verdict(FOUND[:n]) for n in range(4)] == ["green", "green", "amber", "red"]
    assert [exit_code(FOUND[:n]) for n in range(4)] == [0, 0, 1, 2]


def test_a_mend_belongs_to_a_fault() -> None:
    for state, mend in (("green", "Mop."), ("red", "")):
        with pytest.raises(ValueError, match="a mend belongs to a fault"):
            Finding("a", state, "It drips.", mend)  # type: ignore[arg-type]


def test_several_faults_are_one_finding() -> None:
    whole = joined("x", [*FOUND[1:], FOUND[1]], "Well.")
    assert whole == Finding("x", "red", "It drips. Fire. It drips.", "Mop. Run.")
    assert joined("x", [], "Well.") == green("x", "Well.")


def test_json_and_text() -> None:
    whole = json.loads(as_json(FOUND, 1.26))
    assert whole["verdict"] == "red" and whole["seconds"] == 1.3
    assert whole["checks"][0] == {
        "name": "a",
        "state": "green",
        "finding": "All is well.",
        "mend": "",
    }
    assert as_text(FOUND, 1.26).splitlines() == [
        "[ ok ] a   All is well.",
        "[ !! ] bb  It drips.",
        "        -> Mop.",
        "[FAIL] c   Fire.",
        "        -> Run.",
        "",
        "Verdict: red (1 green, 1 amber, 1 red; 1.3 s).",
    ]


def test_a_check_that_hangs_or_stumbles_does_not_hide_the_others() -> None:
    for_ever = threading.Event()

    def hangs(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
        for_ever.wait()
        return []

    def stumbles(patient: Patient, helpers: Helpers) -> Sequence[Finding]:
        raise KeyError("what")

    checks = (
        Check(("x", "y"), hangs, within_s=0.3, silent="red"),
        Check(("z",), stumbles),
        Check(("well",), lambda patient, helpers: [green("well", "Well.")]),
    )
    found = in_order(list(rounds(PATIENT, Helpers(), HouseClock(), checks)), checks)
    for_ever.set()
    assert [(one.name, one.state) for one in found] == [
        ("x", "red"),
        ("y", "red"),
        ("z", "amber"),
        ("well", "green"),
    ]
    assert "was not through within 0 s" in found[0].finding and "KeyError" in found[2].finding


def test_all_limits_together_stay_under_twenty_seconds() -> None:
    from player.doctor.command import READ_WITHIN_S

    assert max(check.within_s for check in CHECKS) + READ_WITHIN_S < 19
    names = [name for check in CHECKS for name in check.names]
    assert len(set(names)) == len(names) == 18


@pytest.mark.skipif(sys.platform != "linux", reason="families are known by /proc")
def test_what_hangs_is_ended_with_all_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCTOR_TEST_HELPERS", word := os.urandom(8).hex())
    helpers = Helpers()
    answer = helpers.ask(["sh", "-c", "setsid sleep 600 & echo begun; sleep 600"], 0.5)
    assert answer is not None and answer.status is None
    assert wait_for(lambda: family_members("DOCTOR_TEST_HELPERS", word) == [], seconds=2)

    asked = threading.Thread(target=helpers.ask, args=(["sleep", "600"], 500.0))
    asked.start()
    assert wait_for(lambda: bool(family_members("DOCTOR_TEST_HELPERS", word)))
    helpers.close()
    asked.join(5)
    assert not asked.is_alive()
    assert wait_for(lambda: family_members("DOCTOR_TEST_HELPERS", word) == [], seconds=2)
    assert helpers.ask(["true"], 5.0) is None, "closed is closed"


def test_a_tool_that_is_not_there_and_a_module_that_crashes() -> None:
    helpers = Helpers()
    assert helpers.ask(["no-such-tool-anywhere"], 1.0) is None
    told = helpers.ask_module("tests.no_such_module", [], 20.0)
    assert "ended with status 1" in told["fault"] and "no_such_module" in told["fault"]


def test_the_hash_is_the_generators_own(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    digest = save_generator(random_generator(resolution=16), path)
    assert content_hash_of(path) == digest == read_generator_info(path).content_hash


def test_the_plain_path_draws_on_every_size(tmp_path: Path, one_torch_thread: None) -> None:
    for side in (8, 32):
        network = random_generator(resolution=side)
        save_generator(network, path := tmp_path / f"{side}.safetensors")
        plain = plain_path(network.num_ws, "float32")
        engine = open_engine(path, screens=2, threads=1, engine_path=plain, remember=False)
        assert engine.path is not None and engine.path.to_dict()["precision"] == "float32"
        assert pictures_per_second(engine, 2, 0.0, HouseClock()) > 0


def all_films() -> FilmCheck:
    return FilmCheck({"a": Film("a", Path("a.mp4"), 1, None, "foreign")}, {}, ())


@pytest.mark.parametrize(
    ("margin", "without_films", "with_films"),
    [
        (1.31, "green", "green"),
        (1.29, "amber", "amber"),
        (1.0, "amber", "amber"),
        (0.99, "amber", "amber"),  # every second frame
        (0.40, "amber", "amber"),  # every third
        (0.34, "red", "amber"),
        (0.01, "red", "amber"),
    ],
)
def test_how_fast_is_fast_enough(margin: float, without_films: str, with_films: str) -> None:
    for films, state in ((None, without_films), (all_films(), with_films)):
        found = judged(replace(PATIENT, films=films), 210 * margin, 210, "cpu", False, [])
        assert found.state == state, found
        assert f"{margin:.2f} times" in found.finding


def test_a_card_that_is_not_used_and_a_path_that_is_not_the_best() -> None:
    found = judged(PATIENT, 999, 210, "cpu", False, ["NVIDIA X"])
    assert found.state == "amber" and "NVIDIA X is not used" in found.finding
    found = judged(PATIENT, 230, 210, "cpu", True, [])
    assert "plain path" in found.finding and "Play the show once" in found.mend


def test_pictures_at_once(tiny_show: Show) -> None:
    everywhere = range(7)
    assert pictures_at_once(tiny_show, everywhere) == 7
    assert pictures_at_once(tiny_show, (2, 3)) == 2
    same = tuple(Screen(name=s.name, ballad="ballad-1") for s in tiny_show.settings.screens)
    settings = tiny_show.settings.model_copy(update={"screens": same})
    assert pictures_at_once(replace(tiny_show, settings=settings), everywhere) == 1
    apart = settings.model_copy(update={"phases": "wave"})
    assert pictures_at_once(replace(tiny_show, settings=apart), everywhere) == 7


def test_disk_memory_and_temperature() -> None:
    states = [judged_disk(Path("x"), free, films).state for free, films in [(10, 0), (400, 0)]]
    assert states == ["red", "amber"]
    assert judged_disk(Path("x"), 5000, 4800).state == "amber"
    assert judged_disk(Path("x"), 5400, 4800).state == "green"
    assert [judged_memory(mb, "x.", is_playing=False).state for mb in (300, 1000, 2000)] == [
        "red",
        "amber",
        "green",
    ]
    assert judged_memory(1000, "x.", is_playing=True).state == "green"
    assert [judged_temperature(c, None).state for c in (60.0, 86.0, 96.0)] == [
        "green",
        "amber",
        "red",
    ]
    assert "cannot be known" in judged_temperature(None, None).finding
    assert judged_temperature(None, 90.0).finding == "Graphics card 90 °C."


CHRONY = "A29FC801,162.159.200.1,4,1700000000.0,0.00001,0.00001,0.00003,-10,0,0.005,0.01,0.4,64.4,"


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand in for the tools")
@pytest.mark.parametrize(
    ("tool", "says", "state", "words"),
    [
        ("timedatectl", "echo yes", "green", "is set by the network (timedatectl)"),
        ("chronyc", f"echo {CHRONY}Normal", "green", "is set by the network (chronyc)"),
        ("chronyc", f"echo {CHRONY}Not synchronised", "amber", "is not set by the network"),
        ("chronyc", "echo 506 Cannot talk to daemon; exit 1", "green", "cannot be known here"),
        ("ntpq", "echo leap=00", "green", "is set by the network (ntpq)"),
        ("ntpq", "echo leap=11", "amber", "is not set by the network (ntpq)"),
    ],
)
def test_who_sets_the_systems_clock(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    says: str,
    state: str,
    words: str,
) -> None:
    fake_tool(tmp_path, "timedatectl", "echo not booted; exit 1")
    monkeypatch.setenv("PATH", fake_tool(tmp_path, tool, says))
    found = look_at_clock(PATIENT, Helpers())[0]
    assert found.state == state and words in found.finding


def test_the_clock_of_windows_as_it_tells_it() -> None:
    assert windows_clock("Leap Indicator: 0(no warning)\nStratum: 4 (x)") is True
    assert windows_clock("Sprungindikator: 3(nicht synchronisiert)\nStratum: 0 (x)") is False
    assert windows_clock("The service has not been started. (0x80070426)") is None


def test_missing_films_need_room(tiny_show: Show) -> None:
    info = read_generator_info(tiny_show.generator_path)
    missing = FilmCheck({}, {}, ("ballad-1", "ballad-2"))
    patient = replace(PATIENT, show=tiny_show, generator=info, films=missing)
    frames = 2 * 1800
    assert films_to_come_mb(patient) == pytest.approx(2 * frames * 8 * 8 * 0.6 / 1e6)
    assert films_to_come_mb(replace(patient, films=all_films())) == 0


def test_a_card_on_the_bus(tmp_path: Path) -> None:
    for name, vendor, kind in (("0", "0x8086", "0x030000"), ("1", "0x10de", "0x040300")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(vendor + "\n")
        (tmp_path / name / "class").write_text(kind + "\n")
    assert not nvidia_on_the_bus(tmp_path), "a sound chip is no graphics card"
    (tmp_path / "1" / "class").write_text("0x030200\n")
    assert nvidia_on_the_bus(tmp_path)


@pytest.mark.parametrize("key", [None, b"a key of sixteen bytes or more"])
def test_other_machines_are_asked(key: bytes | None) -> None:
    """The leader answers; with a key all others too; nothing changes for them."""
    ports = free_ports(3)
    names = ("one", "two", "three")
    addresses = [NodeAddress(n, "127.0.0.1", p) for n, p in zip(names, ports, strict=True)]
    nodes = [
        Node(name=n, host="127.0.0.1", port=p, screens=(n,))
        for n, p in zip(names, ports, strict=True)
    ]
    clock = HouseClock()
    live = [SyncEndpoint(n, addresses, clock=clock, show_hash="h", key=key) for n in names[:2]]
    try:
        for one in live:
            one.start()
        assert wait_for(
            lambda: [one.is_leader for one in live].count(True) == 1 and all(o.epoch for o in live),
            seconds=10,
        )
        leader = next(n for n, one in zip(names, live, strict=False) if one.is_leader)
        epochs = [one.epoch for one in live]
        told = {
            one.node.name: one for one in probe(nodes, "three", key=key, show_hash="h", clock=clock)
        }
        assert set(told) == {"one", "two"}
        answered = {n for n, one in told.items() if one.answered_ms is not None}
        assert answered == ({leader} if key is None else {"one", "two"}), told
        told = {
            one.node.name: one for one in probe(nodes, "one", key=key, show_hash="h", clock=clock)
        }
        assert told["three"].is_refused and told["three"].answered_ms is None
        assert [one.epoch for one in live] == epochs
        assert not any("refused" in one.status() for one in live), [one.status() for one in live]
    finally:
        for one in live:
            one.close()


def test_what_is_said_of_a_node() -> None:
    node = Node(name="left", host="10.0.0.1", screens=("a",))
    asked = Probe(node, "right", None, address="10.0.0.1")  # type: ignore[arg-type]
    cases = [
        (replace(asked, answered_ms=0.4), None, True, "green"),
        (replace(asked, answered_ms=30.0), None, True, "amber"),
        (replace(asked, is_refused=True), None, True, "amber"),
        (replace(asked, fault="No route to host"), None, True, "red"),
        (asked, False, False, "red"),
        (asked, True, False, "green"),  # a follower is silent without a key
        (asked, True, True, "amber"),
        (asked, None, False, "amber"),
    ]
    for one, echo, has_key, state in cases:
        assert judged_node(one, echo, has_key=has_key).state == state, (one, echo, has_key)


def test_a_player_that_runs_tells_of_the_clocks() -> None:
    follows = "frame 7; left follows right, epoch 1; clock +1.00 ppm, unsure by 0.040 ms; state 2"
    found = judged_status(follows)
    assert found.state == "green" and "unsure by 0.040 ms" in found.finding
    assert "frame 7" not in found.finding
    for bad in ("left holds over for right, epoch 1", "left leads; DIFFERS: right plays x"):
        assert judged_status(bad).state == "amber"


def test_importing_the_doctor_loads_nothing_heavy() -> None:
    program = "import sys, player.doctor.command, run_installation; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & {"torch", "PIL", "moderngl", "glfw", "av", "generator", "training"} == set()
