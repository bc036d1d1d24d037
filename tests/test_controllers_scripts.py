"""The scripts in the layouts, run in the languages they are written in: TouchOSC's Lua 5.1 with a
fake of its objects, and Open Stage Control's JavaScript in a browser. What a player tells is real.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import py2tosc
import pytest

from player.controllers import stage_control, touchosc
from player.controllers.surface import Key, Readout, pages
from player.osc.feedback import Feedback
from player.osc.packets import decode_packet
from player.reading import Reading
from player.transport import opening_transport
from shows.show import Show
from tests.browser import open_browser
from tests.tiny_show import make_tiny_show

FAKE = """
sent, clock, found = {}, 0, {}
function getMillis() return clock end
function sendOSC(path, argument) table.insert(sent, {path, argument}) end
function Color(r, g, b, a) return {r, g, b} end
self = {}
function self:findByName(name, recursive)
  if not NAMES[name] then return nil end
  found[name] = found[name] or {values = {}}
  return found[name]
end
"""


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=3, ballads=4, paintings=2, size=4)


@dataclass
class TouchOsc:
    """The layout's script with the objects it uses."""

    show: Show
    lua: Any = field(init=False)

    def __post_init__(self) -> None:
        lupa = pytest.importorskip("lupa.lua51", reason="lupa, which runs Lua, is not installed")
        document = py2tosc.loads(touchosc.layout(pages(self.show)))
        self.lua = lupa.LuaRuntime()
        names = [one.get("name") for one in document.walk() if one.has("name")]
        self.lua.globals().NAMES = self.lua.table_from(dict.fromkeys(names, True))
        self.lua.execute(FAKE)
        self.lua.execute(document.root.get("script"))

    def told(self, path: str, *values: object) -> None:
        arguments = [self.lua.table_from({"tag": "x", "value": value}) for value in values]
        message = self.lua.table_from([path, self.lua.table_from(arguments)])
        assert self.lua.globals().onReceiveOSC(message, self.lua.table_from([])) is False

    def told_by(self, show: Show, transport: Any) -> None:
        """All that a player tells one who has just subscribed."""

        def send(datagram: bytes, to: object) -> None:
            for message in decode_packet(datagram):
                self.told(message.address, *message.arguments)

        feedback = Feedback(send)
        feedback.subscribe("tablet", 60, 0)
        feedback.tell(Reading(show, transport, 0, 0), 0)

    def colour(self, name: str) -> tuple[float, ...]:
        return tuple(self.lua.globals().found[name].color.values())

    def text(self, name: str) -> str:
        return str(self.lua.globals().found[name]["values"]["text"])


def colour_of(key: Key, factor: float) -> Any:
    parts = (int(key.colour[at : at + 2], 16) / 255 * factor for at in (1, 3, 5))
    return pytest.approx(tuple(parts), abs=0.002)


def test_touchosc_renews_its_subscription_all_the_time(show: Show) -> None:
    touch = TouchOsc(show)
    for second in range(121):
        touch.lua.globals().clock = second * 1000
        touch.lua.globals().update()
    sent = [tuple(one.values()) for one in touch.lua.globals().sent.values()]
    assert sent == [("/subscribe", 60)] * 7


def test_touchosc_lights_its_keys_and_fills_its_labels_from_what_a_player_tells(
    show: Show,
) -> None:
    touch = TouchOsc(show)
    touch.told_by(show, opening_transport(show))
    controls = [control for page in pages(show) for control in page.controls()]
    keys = {one.label: one for one in controls if isinstance(one, Key)}
    for label, factor in (("Each its own", 1.0), ("Unison", touchosc.DIM), ("Auto", 1.0)):
        assert touch.colour(touchosc.name_of(keys[label])) == colour_of(keys[label], factor)
    for readout in (one for one in controls if isinstance(one, Readout)):
        assert touch.text(touchosc.name_of(readout)) != "-", readout
    assert touch.text("text /screen/1/line/text") == "Line 1."
    touch.told("/ballad", "ballad-2")
    touch.told("/ballad", "ballad-3", 1)  # no such message is sent: nothing happens
    touch.told("/nowhere", 1)
    second, third = keys["2 Ballad number 2"], keys["3 Ballad number 3"]
    assert touch.colour(touchosc.name_of(second)) == colour_of(second, 1.0)
    assert touch.colour(touchosc.name_of(third)) == colour_of(third, touchosc.DIM)
    touch.told("/status/playing", 0)
    assert touch.colour("key /pause") == colour_of(keys["Pause"], 1.0)
    assert touch.colour("key /play") == colour_of(keys["Play"], touchosc.DIM)


@pytest.mark.slow
def test_open_stage_control_renews_its_subscription(show: Show) -> None:
    session = json.loads(stage_control.session(pages(show), "192.168.7.10:9000"))
    fakes = """sent = [], send = (...words) => sent.push(words);
        setInterval = (callback, ms) => { every = ms; callback() };"""
    with open_browser() as browser:
        page = browser.new_page()
        sent, every = page.evaluate(
            f"() => {{ var sent, send, every, setInterval; {fakes}\n"
            f"{session['content']['onCreate']}\n return [sent, every] }}"
        )
    wanted = ["192.168.7.10:9000", "/subscribe", {"type": "f", "value": 60}]
    assert sent == [wanted, wanted] and every < 30_000
