"""The cue sheet in a real browser: what is on it, and that it fits on sheets of A4."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from player.controllers import cue_sheet
from player.controllers.thumbnails import thumbnails
from shows.show import Show
from shows.show_file import load_show
from tests.browser import open_browser
from tests.installation_process import ROOT

HOST, PORT, DESK = "192.168.7.10", 9000, "http://192.168.7.10:8080/"
A4_WIDTH_PX, A4_MM, DPI_PER_MM = 794, (595, 842), 96 / 25.4
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def shipped() -> Show:
    return load_show(ROOT / "shows" / "inspace", latents=False)


def opened(browser: Any, show: Show, folder: Path) -> Any:
    file = folder / "cue-sheet.html"
    file.write_bytes(cue_sheet.sheet(show, HOST, PORT, DESK, thumbnails(show, 220)))
    page = browser.new_page(viewport={"width": A4_WIDTH_PX, "height": 1123})
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    return page


def test_the_shipped_shows_sheet_has_all_and_fits(
    browser: Any, shipped: Show, tmp_path: Path
) -> None:
    page = opened(browser, shipped, tmp_path)
    text = page.inner_text("body")
    for number, ballad in enumerate(shipped.ballads, 1):
        assert ballad.title in text and f"/ballad {number}" in text
        assert f"/ballad {ballad.id}" in text, "for QLab"
    for said in (f"{HOST}:{PORT}", DESK, "/safe", "/blackout 1", "/line/next", "Child 26"):
        assert said in text
    loaded = page.evaluate("[...document.images].map(one => one.naturalWidth)")
    assert loaded == [220] * 7
    qr = page.locator(".qr svg").bounding_box()
    assert qr["width"] > 25 * DPI_PER_MM and abs(qr["width"] - qr["height"]) < 1
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH_PX
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert {(round(float(wide)), round(float(high))) for wide, high in sizes} == {A4_MM}
    assert len(sizes) == 3, "two sheets for the operator, one for QLab"


def test_nothing_sticks_out_whatever_the_titles(
    browser: Any, shipped: Show, tmp_path: Path
) -> None:
    long = shipped.ballads[0].model_copy(
        update={"title": "The <b>Ballad</b> & of " + "unbreakable" * 12, "colour": None}
    )
    many = replace(shipped, ballads=(long, *shipped.ballads[1:]) * 3)
    page = opened(browser, many, tmp_path)
    assert "<b>Ballad</b> &" in page.inner_text("body"), "a title is text"
    sticking_out = page.evaluate(
        """() => {
            const edge = document.body.getBoundingClientRect().right + 1
            const all = [...document.querySelectorAll('body *')]
            const out = all.filter(one => one.getBoundingClientRect().right > edge)
            return out.map(one => one.tagName + ' ' + one.textContent.slice(0, 40))
        }"""
    )
    assert sticking_out == []
    rows = page.evaluate("[...document.querySelectorAll('tr')].map(one => one.clientHeight)")
    assert max(rows) < 200


def test_the_code_is_the_desks_address() -> None:
    """The modules of the code drawn are those of the address, and of no other."""
    import segno

    page = cue_sheet.sheet(
        load_show(ROOT / "shows" / "inspace", latents=False), HOST, PORT, DESK, {}
    ).decode()
    drawn = re.search(r'class="qrline"[^>]* d="([^"]+)"', page)
    assert drawn is not None
    for url, is_it in ((DESK, True), ("http://192.168.7.11:8080/", False)):
        wanted = segno.make(url, error="m").svg_inline(border=1, omitsize=True)
        assert (drawn[1] in wanted) is is_it
