"""The session for Open Stage Control: a JSON file with two tabs.

Written for version 1.27. Source of the format: "Properties reference" and "Scripting" of its
documentation, and what its session manager reads. What is sent goes from the port it receives at,
so a subscription is answered there; the root widget renews it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from player.controllers.surface import Control, Fader, Key, Page, Readout, Section, Switch
from player.controllers.thumbnails import data_url

VERSION = "1.27.0"
SUBSCRIBED_S, RENEWED_EVERY_MS = 60, 20_000
Widget = dict[str, Any]


def session(
    pages: Sequence[Page], target: str, thumbnails: Mapping[str, bytes] | None = None
) -> bytes:
    """The session's file. target: "host:port" of the player. thumbnails: PNG by ballad id."""
    root: Widget = {
        "type": "root",
        "id": "root",
        "target": target,
        "onCreate": _renewal(target),
        "tabs": [_tab(page, target, thumbnails or {}) for page in pages],
    }
    whole = {
        "createdWith": "Open Stage Control",
        "version": VERSION,
        "type": "session",
        "content": root,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False).encode("utf-8")


def _renewal(target: str) -> str:
    send = f"send('{target}', '/subscribe', {{type: 'f', value: {SUBSCRIBED_S}}})"
    return f"{send}\nsetInterval(() => {send}, {RENEWED_EVERY_MS})"


def _tab(page: Page, target: str, thumbnails: Mapping[str, bytes]) -> Widget:
    return {
        "type": "tab",
        "id": f"tab {page.name}",
        "label": page.name,
        "layout": "vertical",
        "padding": 6,
        "widgets": [_section(page, section, target, thumbnails) for section in page.sections],
    }


def _section(page: Page, section: Section, target: str, thumbnails: Mapping[str, bytes]) -> Widget:
    return {
        "type": "panel",
        "id": f"{page.name} {section.title}",
        "layout": "horizontal",
        "expand": section.share,
        "padding": 4,
        "scroll": False,
        "widgets": list(_widgets(section, target, thumbnails)),
    }


def _widgets(section: Section, target: str, thumbnails: Mapping[str, bytes]) -> Iterator[Widget]:
    """Keys of one address are one switch, which shows by itself what is on."""
    done: set[str] = set()
    for control in section.controls:
        address = _choice_address(control)
        if address is None:
            yield _widget(control, target)
        elif address not in done:
            done.add(address)
            keys = [
                one
                for one in section.controls
                if isinstance(one, Key) and _choice_address(one) == address
            ]
            yield _choice(keys, target, thumbnails)


def _choice_address(control: Control) -> str | None:
    """Of a key that is lit by the very value it sends."""
    if isinstance(control, Key) and control.lit_by is not None:
        message = control.message
        if message.args == (control.lit_by[1],) and message.address == control.lit_by[0]:
            return message.address
    return None


def _choice(keys: Sequence[Key], target: str, thumbnails: Mapping[str, bytes]) -> Widget:
    address = keys[0].message.address
    switch: Widget = {
        "type": "switch",
        "id": f"choice {address}",
        "layout": "horizontal",
        "wrap": "soft",
        "values": {key.label: key.message.args[0] for key in keys},
        "colorWidget": keys[0].colour,
        "expand": len(keys) if len(keys) < 4 else 1,
        "address": address,
        "typeTags": "s",
        "target": target,
    }
    if not any(key.ballad in thumbnails for key in keys):
        return switch
    return {
        "type": "panel",
        "id": f"pictures {address}",
        "layout": "vertical",
        "padding": 0,
        "expand": 1,
        "scroll": False,
        "widgets": [
            {
                "type": "panel",
                "id": f"row {address}",
                "layout": "horizontal",
                "padding": 2,
                "expand": 1,
                "scroll": False,
                "widgets": [_picture(key, thumbnails.get(key.ballad)) for key in keys],
            },
            switch,
        ],
    }


def _picture(key: Key, png: bytes | None) -> Widget:
    return {
        "type": "image",
        "id": f"picture {key.ballad}",
        "value": data_url(png) if png else "",
        "size": "contain",
        "colorStroke": key.colour,
        "lineWidth": 3,
        "alphaStroke": 1,
        "expand": 1,
        "interaction": False,
        "address": f"/_picture/{key.ballad}",
        "bypass": True,
    }


def _widget(control: Control, target: str) -> Widget:
    match control:
        case Key():
            return _button(control.label, control.colour, target) | {
                "id": f"key {control.message.text()}",
                "mode": "tap",
                "on": control.message.args[0] if control.message.args else 1,
                "typeTags": "i",
                "address": control.message.address,
            }
        case Switch():
            return _button(control.label, control.colour, target) | {
                "id": f"switch {control.address}",
                "mode": "toggle",
                "on": 1,
                "off": 0,
                "typeTags": "i",
                "address": control.address,
            }
        case Fader():
            return {
                "type": "fader",
                "id": f"fader {control.address}",
                "html": control.label,
                "horizontal": True,
                "range": {"min": control.low, "max": control.high},
                "decimals": 3,
                "colorWidget": control.colour,
                "expand": 2,
                "address": control.address,
                "typeTags": "f",
                "target": target,
            }
        case Readout():
            return {
                "type": "text",
                "id": f"text {control.address}",
                "html": control.label,
                "default": "-",
                "wrap": "soft",
                "expand": 1,
                "address": control.address,
                "bypass": True,
            }


def _button(label: str, colour: str, target: str) -> Widget:
    return {
        "type": "button",
        "label": label,
        "wrap": "soft",
        "colorWidget": colour,
        "expand": 1,
        "target": target,
    }
