"""The layout for TouchOSC: a `.tosc` file with two pages, and a script that keeps it lit.

The format is written by py2tosc. It holds no pictures: a ballad is its name and colour. TouchOSC's
connection (the player's address and port) is set in TouchOSC itself, it is not part of a layout.
Source of the script's functions: the TouchOSC manual, "Script - Global Functions" and "Objects".
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterable, Sequence

import py2tosc
from py2tosc import ui

from player.controllers.surface import Control, Fader, Key, Message, Page, Readout, Section, Switch
from player.osc.rows import Value

SIZE = (1180, 820)  # points: a tablet across; TouchOSC scales it to others
GAP, TITLE_SIZE, KEY_SIZE, TEXT_SIZE = 6, 13, 20, 15
DIM = 0.45  # of a key that is not lit
GREY = "#20242c"
UNCHANGED = 1.0  # where every fader stands until the player tells
SUBSCRIBED_S, RENEWED_EVERY_MS = 60, 20_000
_IDS = uuid.UUID("6f1d6c3e-8f0e-5a53-9c0b-4f5a1a0c2b11")

_SCRIPT = """-- keeps the subscription alive, lights the keys, fills the labels
local LIGHTS = {lights}
local TEXTS = {texts}
local renewAt = 0

function update()
  if getMillis() >= renewAt then
    renewAt = getMillis() + {every_ms}
    sendOSC('/subscribe', {seconds})
  end
end

function onReceiveOSC(message, connections)
  local path, arguments = message[1], message[2]
  if #arguments ~= 1 then return false end
  local told = tostring(arguments[1].value)
  for _, light in ipairs(LIGHTS[path] or {{}}) do
    local key = self:findByName(light[1], true)
    local c = (light[2] == told) and light[3] or light[4]
    if key then key.color = Color(c[1], c[2], c[3], 1) end
  end
  local label = TEXTS[path] and self:findByName(TEXTS[path], true)
  if label then label.values.text = told end
  return false
end
"""


def layout(pages: Sequence[Page]) -> bytes:
    """The `.tosc` file. Raises py2tosc.ValidationError if TouchOSC would not load it."""
    pager = ui.pager(
        *(_page(page) for page in pages), name="pages", text_size_on=18, tabbar_size=48
    )
    root = ui.stack(pager, frame=(0, 0, *SIZE), name="inspace", script=_script(pages))
    document = py2tosc.Document(root=root)
    document.resolve()
    for number, control in enumerate(document.walk()):
        control.id = str(uuid.uuid5(_IDS, str(number)))  # the same show gives the same file
    faults = [issue for issue in document.validate() if issue.level == "error"]
    if faults:
        raise py2tosc.ValidationError(faults)
    return zlib.compress(document.dumps().encode("utf-8"))


def _page(page: Page) -> py2tosc.Control:
    return ui.column(
        *(_section(section) for section in page.sections),
        sizes=[section.share for section in page.sections],
        gap=GAP,
        pad=GAP,
        name=page.name,
        tab_label=page.name,
    )


def _section(section: Section) -> py2tosc.Control:
    return ui.tiles(
        *(_control(control) for control in section.controls),
        columns=section.columns,
        gap=GAP,
        name=section.title,
    )


def _control(control: Control) -> py2tosc.Control:
    match control:
        case Key():
            button = py2tosc.button(
                name=name_of(control),
                color=_dimmed(control.colour) if control.lit_by else control.colour,
                corner_radius=6.0,
                messages=[_pressed(control.message)],
            )
            return ui.labelled(button, control.label, size=KEY_SIZE)
        case Switch():
            button = py2tosc.button(
                name=name_of(control),
                color=control.colour,
                corner_radius=6.0,
                button_type=py2tosc.ButtonType.TOGGLE_PRESS,
                messages=[_switched(control)],
            )
            return ui.labelled(button, control.label, size=KEY_SIZE)
        case Fader():
            scale = (control.low, control.high)
            slider = py2tosc.fader(
                name=name_of(control),
                color=control.colour,
                corner_radius=6.0,
                orientation=py2tosc.Orientation.EAST,
                values=[
                    py2tosc.Value("x", default=(UNCHANGED - control.low) / (scale[1] - scale[0])),
                    py2tosc.Value("touch"),
                ],
                messages=[ui.osc(control.address, args=[ui.value("x", scale=scale)])],
            )
            return ui.labelled(slider, control.label, size=TEXT_SIZE)
        case Readout():
            return _readout(control)


def _readout(readout: Readout) -> py2tosc.Control:
    caption = py2tosc.label(
        background=False,
        text_size=TITLE_SIZE,
        text_color="#9aa4b2",
        values=[py2tosc.Value("text", default=readout.label), py2tosc.Value("touch")],
    )
    value = py2tosc.label(
        name=name_of(readout),
        background=False,
        text_size=TEXT_SIZE,
        values=[py2tosc.Value("text", default="-"), py2tosc.Value("touch")],
    )
    return ui.column(caption, value, sizes=(1, 1.6), color=GREY)


def name_of(control: Control) -> str:
    """By which the script finds it; one of a kind in the layout."""
    match control:
        case Key():
            return f"key {control.message.text()}"
        case Switch():
            return f"switch {control.address}"
        case Fader():
            return f"fader {control.address}"
        case Readout():
            return f"text {control.address}"


def _pressed(message: Message) -> py2tosc.OscMessage:
    return ui.osc(
        message.address, args=[_constant(arg) for arg in message.args], on="RISE", receive=False
    )


def _switched(switch: Switch) -> py2tosc.OscMessage:
    """The button's own value, which feedback sets."""
    whole = ui.value("x", conversion=py2tosc.Conversion.INTEGER)
    return ui.osc(switch.address, args=[whole], receive=switch.is_told)


def _constant(value: Value) -> py2tosc.Partial:
    if isinstance(value, str):
        return ui.const(value)
    kind = py2tosc.Conversion.FLOAT if isinstance(value, float) else py2tosc.Conversion.INTEGER
    return ui.const(f"{value:g}", conversion=kind)


def _script(pages: Sequence[Page]) -> str:
    controls = [control for page in pages for control in page.controls()]
    lights: dict[str, list[str]] = {}
    for key in controls:
        if isinstance(key, Key) and key.lit_by is not None:
            path, told = key.lit_by
            words = (_lua(name_of(key)), _lua(str(told)), _rgb(key.colour), _rgb(key.colour, DIM))
            lights.setdefault(path, []).append("{" + ", ".join(words) + "}")
    texts = {one.address: _lua(name_of(one)) for one in controls if isinstance(one, Readout)}
    return _SCRIPT.format(
        lights=_table((path, "{" + ", ".join(rows) + "}") for path, rows in lights.items()),
        texts=_table(texts.items()),
        every_ms=RENEWED_EVERY_MS,
        seconds=SUBSCRIBED_S,
    )


def _table(pairs: Iterable[tuple[str, str]]) -> str:
    return "{\n" + "".join(f"  [{_lua(key)}] = {value},\n" for key, value in pairs) + "}"


def _lua(text: str) -> str:
    """A Lua string: JSON's escapes of quotes, backslashes and control characters are Lua's too."""
    return json.dumps(text, ensure_ascii=False)


def _rgb(colour: str, factor: float = 1.0) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 * factor for at in (1, 3, 5))
    return f"{{{red:.3f}, {green:.3f}, {blue:.3f}}}"


def _dimmed(colour: str) -> str:
    parts = (round(int(colour[at : at + 2], 16) * DIM) for at in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in parts)
