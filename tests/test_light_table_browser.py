"""The light table in a real browser, served by a real process that is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shows.latent_set import read_latent_set
from shows.show import Show
from tests.browser import open_browser
from tests.light_table_show import make_projected_show
from training.latents.choices_file import read_choices

# a browser has stood still here while other tests ran beside it
pytestmark = [pytest.mark.slow, pytest.mark.alone]
ROOT = Path(__file__).resolve().parent.parent
WAIT_MS = 20_000
SIZE = {"width": 1280, "height": 800}


class Server:
    """`python -m training curate`, and the address that it tells."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "training", "curate", str(folder)]
        # NiceGUI behaves otherwise where it believes itself under test
        plain = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
        self.process = subprocess.Popen(
            [*command, "--no-browser", "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**plain, "OMP_NUM_THREADS": "1"},
        )
        assert self.process.stdout is not None
        found = None
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:[0-9]+/", line)
            if found:
                break
        assert found is not None, "the server ended without telling its address"
        self.address = found[0]

    def end(self, number: int) -> int:
        """Send a signal; returns how the process ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


class Tab:
    """A page of the light table, and what it asked of others and complained of."""

    def __init__(self, context: Any, address: str, ballad: str, painting: int = 1) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note_request)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{address}?ballad={ballad}&painting={painting}")
        self.ready()

    def ready(self) -> None:
        """All 101 candidates are drawn, and the keys are listened to."""
        self.page.wait_for_function(
            "document.querySelectorAll('[data-n] img').length === 101 && "
            "[...document.images].every((i) => i.complete && i.naturalWidth > 0) && "
            "window.did_handshake"
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, label: str) -> None:
        self.page.get_by_label(label, exact=True).first.click()

    def sees(self, text: str, where: str = ".side") -> None:
        self.page.locator(where, has_text=text).first.wait_for()

    def _note_request(self, request: Any) -> None:
        if not re.match(r"(https?|ws)://127\.0\.0\.1:|data:|blob:", request.url):
            self.outside.append(request.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def show(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Show:
    """Every test has a ballad of its own."""
    return make_projected_show(tmp_path_factory.mktemp("table") / "show", ballads=5)


@pytest.fixture(scope="module")
def server(show: Show) -> Iterator[Server]:
    started = Server(show.folder)
    yield started
    assert started.end(signal.SIGINT) == 0


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    made = browser.new_context(viewport=SIZE)
    yield made
    made.close()


def test_pick_by_mouse_and_by_keyboard_undo_and_note(
    show: Show, server: Server, context: Any
) -> None:
    tab = Tab(context, server.address, "ballad-1")
    tab.click("candidate 17")
    tab.sees("17", ".facts")
    tab.click("Choose")
    tab.sees("chosen: 17")
    assert read_choices(show, "ballad-1")["p1"].number == 17
    tab.press("ArrowDown", "ArrowRight", "Enter")
    tab.sees("chosen: 28")
    tab.press("u")
    tab.sees("chosen: 17")
    assert read_choices(show, "ballad-1")["p1"].number == 17
    tab.press("Shift+U")
    tab.sees("chosen: 28")
    note = tab.page.get_by_label("note")
    note.click()
    tab.page.keyboard.type("b is a letter, and no breeding")
    note.press("Enter")
    tab.page.locator(".side textarea:not(:focus)").wait_for()
    tab.press("2", "ArrowDown")
    tab.page.locator(".painting.here", has_text="p2").wait_for()
    tab.page.locator(".cell.cursor[data-n='1']").wait_for()
    tab.page.get_by_label("candidate 3", exact=True).dblclick()
    tab.sees("chosen: 3")
    kept = read_choices(show, "ballad-1")
    assert (kept["p1"].number, kept["p2"].number) == (28, 3)
    assert kept["p1"].note == "b is a letter, and no breeding" and kept["p1"].parents == ()
    assert tab.outside == [] and tab.complaints == []


def test_breed_and_go_halfway_and_come_back(show: Show, server: Server, context: Any) -> None:
    tab = Tab(context, server.address, "ballad-2")
    tab.press("ArrowDown", "b")
    tab.sees("around it", ".tools")
    tab.ready()
    tab.press("ArrowDown", "ArrowDown", "Enter")
    tab.sees("chosen: 11 of 1")
    choice = read_choices(show, "ballad-2")["p1"]
    assert choice.number == 11 and [parent.number for parent in choice.parents] == [1]
    tab.press("f", "h", "ArrowRight", "h")
    tab.sees("around halfway 11 of 1 and 12 of 1", ".tools")
    tab.page.locator(".favourites img").wait_for()
    tab.press("u", "u")
    tab.sees("around it", ".tools")
    tab.press("u", "u")
    tab.sees("around the projection", ".tools")
    tab.sees("nothing chosen yet")
    assert read_choices(show, "ballad-2") == {}
    assert tab.complaints == []


def test_the_loop_plays_and_is_rolled_again(show: Show, server: Server, context: Any) -> None:
    tab = Tab(context, server.address, "ballad-3")
    tab.press("ArrowDown", " ")
    moving = tab.page.locator(".big img[src^='/loop/']")
    moving.wait_for()
    before = moving.get_attribute("src")
    tab.press("r")
    tab.page.locator(f".big img[src^='/loop/']:not([src='{before}'])").wait_for()
    tab.press("c")
    tab.page.locator(".over img[src^='/loop/']").wait_for()
    tab.press("Escape")
    tab.page.get_by_label("loop strength").fill("0.4")
    tab.page.get_by_label("as the show").wait_for()
    yaml = (show.ballad_folder("ballad-3") / "ballad.yaml").read_text(encoding="utf-8")
    assert "loop_strength: 0.4" in yaml and "loop_seed: 1" in yaml
    assert tab.complaints == []


def test_two_tabs_stay_in_step_and_publishing_is_seen_in_both(
    show: Show, server: Server, context: Any
) -> None:
    one = Tab(context, server.address, "ballad-4")
    other = Tab(context, server.address, "ballad-4", 2)
    one.click("publish this ballad")
    one.sees("nothing is chosen for p1, p2", ".said")
    one.click("candidate 5")
    one.press("Enter")
    one.sees("chosen: 5")
    other.page.locator(".ballad.here .dot.person").wait_for()
    other.click("candidate 6")
    other.press("Enter")
    other.sees("chosen: 6")
    other.click("publish this ballad")
    one.sees("published", ".ballad.here")
    other.sees("published", ".ballad.here")
    latents = read_latent_set(show.latents_path("ballad-4"))
    assert [entry["number"] for entry in latents.provenance] == [5, 6]
    one.press("ArrowRight", "Enter")
    other.sees("changed", ".ballad.here")


def test_reload_and_kill_lose_nothing(show: Show, server: Server, context: Any) -> None:
    tab = Tab(context, server.address, "ballad-5")
    tab.press("2")
    tab.page.locator(".painting.here", has_text="p2").wait_for()
    tab.press("ArrowDown", "f", "ArrowRight", "Enter", "b", "ArrowDown", "Enter")
    tab.sees("chosen: 1 of 2")
    tab.page.reload()
    tab.ready()
    wanted = ["chosen: 1 of 2", "p2"]
    for text, where in zip(wanted, (".side", ".painting.here"), strict=True):
        tab.sees(text, where)
    assert tab.page.locator(".favourites img").count() == 1
    drawn = sorted((show.folder / "work" / "light_table" / "pictures").rglob("*.png"))
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    again = Server(show.folder)
    try:
        later = Tab(context, again.address, "ballad-5", 2)
        later.sees("chosen: 1 of 2")
        later.sees("around it", ".tools")
        assert later.page.locator(".favourites img").count() == 1
        later.press("u", "u", "u")
        later.sees("nothing chosen yet")
        later.press("Shift+U")
        later.sees("chosen: 2")
        now = sorted((show.folder / "work" / "light_table" / "pictures").rglob("*.png"))
        assert now == drawn  # all came from the folder
        answers_nobody_else(again.address)
    finally:
        assert again.end(signal.SIGINT) == 0
        server.process = again.process


def answers_nobody_else(address: str) -> None:
    """A name that leads here, and another site's page, are refused; so is what is no picture."""
    for path in ("candidate/ballad-1/0/AAAA", "candidate/none/0/AAAA", "loop/..%2Fjournal.jsonl"):
        with pytest.raises(urllib.error.HTTPError) as unknown:
            urllib.request.urlopen(address + path, timeout=10)
        assert unknown.value.code == 404
        unknown.value.close()
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10)
        assert refused.value.code == 403
        refused.value.close()
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.status == 200
