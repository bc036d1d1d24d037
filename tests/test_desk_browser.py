"""The desk in a real browser, in front of a real player that is killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from player.wall.front_buffer import read_front_buffer
from shows.show import Show
from tests.browser import open_browser
from tests.desk_process import DeskProcess
from tests.installation_process import Installation
from tests.live_show import make_live_show
from tests.tick_helpers import wait_for

# a browser has stood still here while other tests ran beside it
pytestmark = [pytest.mark.slow, pytest.mark.alone]
WAIT_MS = 30_000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PASSWORD = "the river runs dark"


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """A show, its player, and what the player's screens show. `heat` has what the graphics card's
    tool tells, in degrees Celsius."""

    def __init__(self, folder: Path) -> None:
        self.show: Show = make_live_show(folder / "show", moving=False)
        (self.show.folder / "credits.txt").write_text("Anna Painter, CC BY 4.0\n", encoding="utf-8")
        self.port = free_udp_port()
        self.front, self.thumbnails = folder / "front", folder / "thumbnails"
        self.heat, self.tools = folder / "heat", folder / "tools"
        self.heat.write_text("60, 1\n")
        self.tools.mkdir()
        tool = self.tools / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\ncat '{self.heat}'\n")
        tool.chmod(0o755)
        self.player = self.start()

    def start(self) -> Installation:
        words: list[object] = ["--show", self.show.folder, "--mode", "slate", "--size", "64x36"]
        words += ["--outputs", "headless", "--osc-port", self.port]
        words += ["--front-buffer", self.front, "--thumbnails", self.thumbnails]
        return Installation(*words, PATH=f"{self.tools}:{os.environ['PATH']}")

    def desk(self, *words: object, **environment: str) -> DeskProcess:
        words = ("--thumbnails", self.thumbnails, *words)
        return DeskProcess(self.show.folder, self.port, *words, **environment)


class Tab:
    """A page of the desk, and what it asked of others and complained of."""

    def __init__(self, context: Any, address: str) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note_request)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_function("window.did_handshake")

    def sees(self, text: str, where: str) -> None:
        self.page.locator(where, has_text=text).first.wait_for()

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def _note_request(self, request: Any) -> None:
        if not re.match(r"(https?|ws)://[0-9.]+:|data:|blob:", request.url):
            self.outside.append(request.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def house(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    with made.player:
        made.player.said(r"OSC: \S+ port")
        yield made
        made.player.__exit__(None, None, None)


@pytest.fixture(scope="module")
def desk(house: House) -> Iterator[DeskProcess]:
    with house.desk() as started:
        yield started


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    made = browser.new_context(viewport=DESKTOP)
    yield made
    made.close()


def shown(house: House) -> np.ndarray:
    """The middle pixel of every screen: [7, 3]."""
    return read_front_buffer(house.front)[:, 18, 32].astype(int)


def test_a_ballad_chosen_on_the_desk_is_on_the_screens(
    house: House, desk: DeskProcess, context: Any
) -> None:
    tab = Tab(context, desk.address)
    tab.sees("Playing", ".state")
    assert tab.page.locator(".screen").count() == 7
    tab.page.wait_for_function(
        "[...document.querySelectorAll('.screen img')].every((i) => i.naturalWidth > 1)"
    )
    before = shown(house)
    assert len(np.unique(before, axis=0)) == 7  # each its own
    tab.click("Screen 5")
    tab.sees("for screen 5 alone", ".scope")
    tab.click("Ballad number 2")
    assert wait_for(lambda: (abs(shown(house)[4] - shown(house)[1]) <= 2).all(), seconds=40)
    assert (shown(house)[[0, 2, 3, 5, 6]] == before[[0, 2, 3, 5, 6]]).all()
    tab.sees("Ballad number 2", ".screen:nth-child(5) .title")
    tab.page.keyboard.press("a")
    tab.page.keyboard.press("7")
    assert wait_for(lambda: (abs(shown(house) - shown(house)[0]) <= 2).all(), seconds=40)
    tab.sees("/screen/5/ballad 2", ".log")
    tab.page.locator(".log .entry.ok", has_text="/ballad 7").wait_for()
    assert tab.outside == [] and tab.complaints == []


def test_light_and_blackout_with_two_presses(house: House, desk: DeskProcess, context: Any) -> None:
    tab = Tab(context, desk.address)
    tab.sees("Playing", ".state")
    tab.page.keyboard.press("b")
    tab.sees("Black now: sure?", ".black")
    assert shown(house).any()
    tab.page.keyboard.press("b")
    tab.sees("Black", ".state")
    assert wait_for(lambda: not shown(house).any(), seconds=20)
    tab.sees("black on purpose", ".alarm.note")
    tab.click("Lights up")
    tab.sees("Playing", ".state")
    tab.page.get_by_label("Brightness").fill("50")
    tab.sees("50 %", ".slider .value")
    tab.page.locator(".log .entry.ok", has_text="/brightness 0.5").wait_for()
    tab.page.keyboard.press("?")
    tab.page.locator(".keys-list:not(.hidden)").wait_for()
    tab.page.keyboard.press("Escape")
    tab.page.locator(".keys-list.hidden").wait_for(state="attached")
    tab.click("Safe")
    tab.sees("100 %", ".slider .value")
    assert tab.complaints == []


def test_the_feeling_is_moved_and_goes_back(house: House, desk: DeskProcess, context: Any) -> None:
    tab = Tab(context, desk.address)
    tab.sees("Playing", ".state")

    def is_at(path: str, value: float) -> bool:
        return wait_for(lambda: abs(float(house.player.ask(path)) - value) < 0.006, seconds=20)

    tab.page.get_by_label("Loop strength", exact=True).fill("150")
    assert is_at("/loop/strength", 1.5)
    tab.sees("150 %", ".feel .value")
    tab.page.get_by_label("Truncation", exact=True).fill("50")
    assert is_at("/truncation", 0.5)
    assert house.show.settings.path == "linear"
    tab.click("Smooth")
    assert wait_for(lambda: house.player.ask("/path") == "smooth", seconds=20)
    tab.page.locator(".feel .button.on", has_text="Smooth").wait_for()
    for name in ("Loop strength", "Truncation", "Path"):
        tab.click(f"{name} as the show has it")
    assert is_at("/loop/strength", 1)
    assert is_at("/truncation", house.show.settings.truncation_psi)
    assert wait_for(lambda: house.player.ask("/path") == "linear", seconds=20)
    tab.sees("100 %", ".feel .value")
    assert tab.complaints == []


def test_a_slider_in_the_hand_is_not_moved_by_others(
    house: House, desk: DeskProcess, context: Any
) -> None:
    tab, other = Tab(context, desk.address), Tab(context, desk.address)
    slider = tab.page.get_by_label("Loop strength", exact=True)
    box = slider.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.page.mouse.down()
    assert wait_for(lambda: house.player.ask("/loop/strength") == "2", seconds=20)
    house.player.ask("/loop/strength", 3.0)
    other.sees("300 %", ".feel .value")
    # longer than a slider that was let go stays the hand's
    assert house.player.reaches(house.player.frame() + 60)
    assert slider.input_value() == "200"
    tab.page.mouse.up()
    tab.sees("300 %", ".feel .value")
    assert slider.input_value() == "300"
    tab.click("Loop strength as the show has it")
    tab.sees("100 %", ".feel .value")
    assert tab.complaints == [] and other.complaints == []


def test_a_canon_has_as_many_seconds_as_are_typed(
    house: House, desk: DeskProcess, context: Any
) -> None:
    tab = Tab(context, desk.address)
    field = tab.page.get_by_label("seconds from screen to screen, in a canon")
    assert field.input_value() == "5"
    field.fill("7000")  # more than the player takes: the ones before stay
    tab.click("Canon")
    tab.page.locator(".log .entry.ok", has_text="/arrangement canon 5").wait_for()
    field.fill("7.5")
    tab.click("Canon")
    tab.page.locator(".log .entry.ok", has_text="/arrangement canon 7.5").wait_for()
    assert field.input_value() == "7.5"
    assert house.player.ask("/arrangement") == "canon"
    fps = float(house.show.settings.fps)
    cycle_s = house.show.cycle_frames("ballad-1") / fps

    def apart() -> float:
        first, second = (float(house.player.ask(f"/screen/{n}/position")) for n in (1, 2))
        return (first - second) % cycle_s

    assert wait_for(lambda: abs(apart() - 7.5) < 1, seconds=20)
    tab.click("Each its own")
    tab.page.locator(".log .entry.ok", has_text="/arrangement each").wait_for()
    assert tab.complaints == []


def test_a_tile_says_what_is_next(house: House, desk: DeskProcess, context: Any) -> None:
    tab = Tab(context, desk.address)
    tab.page.locator(".screen:not(.changing)").nth(6).wait_for()
    tab.sees("next: Line", ".screen:nth-child(2) .next")
    before = tab.page.locator(".screen:nth-child(2) .title").inner_text()
    wanted = "Ballad number 5" if before != "Ballad number 5" else "Ballad number 6"
    tab.click("Screen 2")
    tab.click(wanted)
    tab.sees(f"next: {wanted}", ".screen.changing:nth-child(2) .next")
    assert tab.page.locator(".screen:nth-child(2) .title").inner_text() == before
    tab.sees("Screen 2, on its way to", ".now .of")
    tab.sees(wanted, ".screen:nth-child(2):not(.changing) .title")
    tab.click("Each its own")
    assert tab.complaints == []


def test_ten_minutes_are_drawn_and_heat_is_told(
    house: House, desk: DeskProcess, context: Any
) -> None:
    tab = Tab(context, desk.address)
    for name in ("Late or dropped", "Frame time", "Lateness"):
        tab.page.locator(".measure", has_text=name).locator("rect").first.wait_for()
    tab.sees("33.3 ms", ".measure:has-text('Frame time') .plot")
    assert tab.page.locator(".measure", has_text="Clocks apart").is_hidden()  # one machine alone
    tab.sees("60 °C", ".figure .value")
    house.heat.write_text("97, 1\n")
    tab.sees("97 °C hot", ".alarm.red")
    tab.sees("97 °C", ".figure .value.red")
    tab.sees("graphics card 97 °C", ".health")
    house.heat.write_text("60, 1\n")
    tab.page.locator(".alarm.red").wait_for(state="detached")
    assert tab.complaints == []


def test_corners_are_dragged_and_taken_back(house: House, desk: DeskProcess, context: Any) -> None:
    tab = Tab(context, desk.address)
    tab.click("Calibration 6")
    handle = tab.page.get_by_label("top left", exact=True)
    tab.page.wait_for_function("document.querySelector('.handle').style.left === '0%'")
    box, stage = handle.bounding_box(), tab.page.locator(".stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(x, y)
    tab.page.mouse.down()
    for part in (0.1, 0.2, 0.3):
        tab.page.mouse.move(x + part * stage["width"], y + part * stage["height"])
    tab.page.mouse.up()

    def corner() -> list[float]:
        return [float(n) for n in house.player.ask("/screen/6/corner/1").split()[1:]]

    assert wait_for(lambda: abs(corner()[0] - 0.3) < 0.02, seconds=20), corner()
    assert corner()[1] == pytest.approx(0.3, abs=0.02)
    assert wait_for(lambda: not read_front_buffer(house.front)[5, 2, 2].any(), seconds=20)
    handle.focus()
    tab.page.wait_for_function(
        "at => Math.abs(parseFloat(document.querySelector('.handle').style.left) - at) < 0.02",
        arg=100 * (dragged := corner()[0]),
    )
    # an answer from before the last movement, as a busy machine brings it: the corner stays
    tab.page.keyboard.press("Shift+ArrowRight")
    tab.page.evaluate("placeCorners([[0.1, 0.1], [1, 0], [1, 1], [0, 1]])")
    tab.page.keyboard.press("Shift+ArrowLeft")
    tab.page.keyboard.press("Shift+ArrowLeft")
    assert wait_for(lambda: abs(corner()[0] - (dragged - 0.01)) < 0.001, seconds=20), corner()
    steps = [corner()]
    while steps[-1] != [0, 0]:  # one if the keys came within a second of the drag, else more
        tab.click("Undo")
        assert wait_for(lambda: corner() != steps[-1], seconds=20)
        steps.append(corner())
    tab.page.wait_for_function("document.querySelector('.handle').style.left === '0%'")
    tab.page.get_by_role("button", name="Close").first.click()
    assert tab.complaints == []


def test_the_label_follows(house: House, desk: DeskProcess, context: Any) -> None:
    tab = Tab(context, desk.address + "label/3")
    tab.sees("Ballad number", ".label .title")
    tab.sees("Line 1.", ".verse")
    tab.sees("Anna Painter, CC BY 4.0", ".credits")
    house.player.ask("/screen/3/ballad", 6)
    tab.sees("Ballad number 6", ".label .title")
    tab.page.wait_for_function(
        "document.querySelector('.original img').src.includes('ballad-6') && "
        "document.querySelector('.original img').naturalWidth > 1"
    )
    assert tab.page.locator(".label button").count() == 0


def test_a_phone_has_no_sideways_scroll(desk: DeskProcess, browser: Any) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    try:
        for path in ("", "label/1"):
            tab = Tab(context, desk.address + path)
            tab.sees("Ballad number", ".title")
            assert tab.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
            small = tab.page.evaluate(
                "[...document.querySelectorAll('.desk .button')].filter((b) => b.offsetParent && "
                "Math.min(b.offsetWidth, b.offsetHeight) < 42).length"
            )
            assert small == 0
    finally:
        context.close()


def test_who_only_looks_has_no_buttons(house: House, context: Any) -> None:
    with house.desk("--read-only") as started:
        tab = Tab(context, started.address)
        tab.sees("Playing", ".state")
        tab.sees("Only to look at", ".top")
        assert tab.page.locator(".button, input").count() == 0
        tab.page.keyboard.press("3")
        tab.page.locator(".timeline .part").click()
        tab.click("Screen 2")
        tab.page.locator(".screen.chosen").wait_for()
        tab.sees("Nothing has been sent from here yet.", ".log")


def test_another_address_takes_the_password(house: House, context: Any) -> None:
    secret = ("--host", "0.0.0.0", "--password-env", "DESK_WORD")
    with house.desk(*secret, DESK_WORD=PASSWORD) as started:
        port = urllib.parse.urlsplit(started.address).port
        elsewhere = f"http://{own_address()}:{port}/"
        page = context.new_page()
        page.goto(elsewhere)
        page.get_by_label("Password").fill("wrong one")
        page.get_by_role("button").click()
        page.get_by_text("That was not it.").wait_for()
        for path in ("seen/1", "painting/ballad-1/0/small", "label/1"):
            assert (
                "Password" in urllib.request.urlopen(elsewhere + path, timeout=10).read().decode()
            )
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button").click()
        page.locator(".state", has_text="Playing").wait_for(timeout=WAIT_MS)
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(
                    urllib.request.Request(elsewhere, headers=headers), timeout=9
                )
            assert refused.value.code == 403
            refused.value.close()


def test_a_code_from_the_terminal_lets_one_device_in(house: House, context: Any) -> None:
    with house.desk("--pair") as started:
        page = context.new_page()
        page.goto(started.address)
        code = re.findall(r"Code for the next device: ([0-9]{6})", started.text)
        assert len(code) == 1
        page.get_by_label("six digits").fill(code[0])
        page.get_by_role("button").click()
        page.locator(".state", has_text="Playing").wait_for(timeout=WAIT_MS)
        assert wait_for(lambda: started.text.count("Code for the next device") == 2)


def test_an_open_desk_is_for_this_machine_alone(house: House) -> None:
    with house.desk("--host", "0.0.0.0") as started:
        assert started.process.wait(timeout=60) == 1
        assert wait_for(lambda: "--pair" in started.text)


def test_the_player_is_killed_and_comes_back(house: House, desk: DeskProcess, context: Any) -> None:
    """Last: the player of the others is gone after it."""
    tab = Tab(context, desk.address)
    tab.sees("Playing", ".state")
    house.player.signal(signal.SIGKILL)
    tab.sees("No answer", ".state")
    tab.sees("The player does not answer at 127.0.0.1", ".alarm.red")
    tab.page.locator(".screen.silent").first.wait_for()
    house.player.__exit__(None, None, None)
    house.player = house.start()
    house.player.said(r"OSC: \S+ port")
    tab.sees("Playing", ".state")
    tab.page.locator(".alarm.red").wait_for(state="detached")
    before = shown(house)
    tab.page.keyboard.press("4")
    assert wait_for(lambda: (abs(shown(house) - before[3]) <= 2).all(), seconds=40)
    assert desk.end(signal.SIGKILL) == -signal.SIGKILL
    frame = house.player.frame()
    assert house.player.reaches(frame + 5)  # the desk's death harms nothing
    assert tab.complaints == []


def own_address() -> str:
    """Of this machine, and none of its loopback's; skips where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a datagram socket sends nothing for this
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        return str(probe.getsockname()[0])
