"""The doctor against real monitors: an X server with RandR outputs, spoilt step by step."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from player.doctor.desktop import judged_blanking, judged_outputs, judged_refresh, monitor_of
from player.doctor.desktop_child import as_plain
from player.wall.edid import Edid
from player.wall.machine_file import Machine, MachineScreen
from player.wall.monitors import Area
from player.wall.placing import Anywhere, AtIndex, InRectangle, Monitor, OnOutput
from tests.doctor_cases import make_healthy_show
from tests.virtual_desktop import on_virtual_desktop

FPS = Fraction(30)
NTSC = Fraction(60000, 1001)


@pytest.mark.slow
def test_real_monitors_spoilt_step_by_step(tmp_path: Path) -> None:
    show = make_healthy_show(tmp_path / "show")
    told = json.loads(
        on_virtual_desktop("tests.doctor_on_desktop", show.folder, tmp_path, monitors=3)
    )
    healthy = told["plain"]

    def changed(case: str) -> dict[str, str]:
        return {n: state for n, (state, _) in told[case].items() if state != healthy[n][0]}

    assert {healthy[name][0] for name in ("outputs", "refresh", "blanking")} == {"green"}, healthy
    assert "3 monitors for 2 screens" in healthy["outputs"][1]
    assert "DUMMY0 (EDID DEL0001 LEFT SN-ONE 2)" in healthy["outputs"][1]
    assert changed("right") == {}
    assert changed("absent") == {"outputs": "red"}
    assert "screen-2 is not shown: there is no output DP-9." in told["absent"]["outputs"][1]
    assert changed("wrong edid") == {"outputs": "red"}
    assert "no monitor whose EDID holds 'SN-TWO'" in told["wrong edid"]["outputs"][1]
    assert changed("saver") == {"blanking": "amber"}
    assert "screen saver after 60 s" in told["saver"]["blanking"][1]
    assert changed("mixed") == {"refresh": "amber"}
    assert "DUMMY0 60 Hz, DUMMY1 50 Hz" in told["mixed"]["refresh"][1]
    assert changed("too few") == {"outputs": "amber"}
    assert "2 screens share 1 monitor" in told["too few"]["outputs"][1]
    assert "switched off in the system: DUMMY1, DUMMY2" in told["too few"]["outputs"][1]


def monitor(place: int, rate: Fraction | None = NTSC) -> Monitor:
    area = Area(100 * place, 0, 100, 80)
    return Monitor(f"DP-{place + 1}", area, area, rate, Edid("DEL", 1, place, "X", f"SN{place}"))


def machine(*places: object) -> Machine:
    screens = tuple(MachineScreen(f"s{n}", place) for n, place in enumerate(places, 1))  # type: ignore[arg-type]
    return Machine(None, screens)


def test_monitors_go_through_json_and_back() -> None:
    area = Area(-5, 3, 100, 80)
    for one in (monitor(0), Monitor("A", area, Area(0, 3, 90, 80))):
        assert monitor_of(json.loads(json.dumps(as_plain(one)))) == one


@pytest.mark.parametrize(
    ("rates", "state"),
    [
        ((Fraction(60), Fraction(60)), "green"),
        ((NTSC, NTSC), "green"),  # nobody sees one short frame in 17 s
        ((Fraction(120), Fraction(120)), "green"),
        ((Fraction(60), NTSC), "amber"),
        ((Fraction(75), Fraction(75)), "amber"),
        ((Fraction(50), Fraction(50)), "amber"),
        ((Fraction(24), Fraction(24)), "amber"),
        ((None, None), "green"),
    ],
)
def test_refresh_rates(rates: tuple[Fraction | None, ...], state: str) -> None:
    monitors = [monitor(place, rate) for place, rate in enumerate(rates)]
    found = judged_refresh(FPS, ["s1", "s2"], None, monitors)
    assert found.state == state, found
    assert found.state == "amber" or "evenly" in found.finding or "cannot be known" in found.finding


def test_a_monitor_without_a_screen_has_any_rate() -> None:
    monitors = [monitor(0), monitor(1, Fraction(75))]
    assert judged_refresh(FPS, ["s1"], None, monitors).state == "green"


@pytest.mark.parametrize(
    ("places", "word"),
    [
        ((AtIndex(2), AtIndex(3)), "monitor 3 from the left"),
        ((OnOutput("DP-1"), InRectangle(Area(900, 0, 10, 10))), "monitor at 10x10+900+0"),
        ((OnOutput("DP-1"), OnOutput("DP-2"), Anywhere()), "monitor that no other screen has"),
    ],
)
def test_places_that_are_not_there(places: tuple[object, ...], word: str) -> None:
    names = [f"s{n}" for n in range(1, len(places) + 1)]
    found = judged_outputs(names, machine(*places), [monitor(0), monitor(1)])
    assert found.state == "red" and word in found.finding and "DP-2" in found.mend
    assert found.finding.count("is not shown") == 1


@pytest.mark.parametrize(
    ("xset", "gnome", "state"),
    [
        ("  timeout:  0    cycle:  600\n  DPMS is Disabled", "", "green"),
        ("  timeout:  600    cycle:  600\n", "", "amber"),
        ("  timeout:  0\n  DPMS is Enabled\n  Monitor is On", "", "amber"),
        ("  timeout:  0\n", "uint32 300\n", "amber"),
        ("  timeout:  0\n", "uint32 0\n", "green"),
        ("", "", "green"),
    ],
)
def test_what_blanks_the_screens(xset: str, gnome: str, state: str) -> None:
    found = judged_blanking(xset, gnome, None)
    assert found.state == state
    assert xset or "cannot be known" in found.finding
