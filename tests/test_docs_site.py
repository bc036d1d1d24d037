"""The documentation as a site: whole, without a network, and readable on a phone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser import open_browser

ROOT = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="scripts/docs is for Linux"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as a person would build it."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [ROOT / "scripts/docs", folder], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


class Reader(HTMLParser):
    """What a page loads by itself, where its links lead, and the anchors that it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in ("src", "poster", "data") or (tag == "link" and name == "href"):
                self.loads.append(value)
            elif name == "srcset":
                self.loads += [word.split()[0] for word in value.split(",")]
            elif name == "href":
                self.links.append(value)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Reader]:
    return {page: Reader(page) for page in site.rglob("*.html")}


def test_every_page_of_docs_is_there_with_the_readme(site: Path) -> None:
    guides = (ROOT / "docs").rglob("*.md")
    expected = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in guides}
    expected |= {Path("readme.html"), Path("changelog.html"), Path("license.html")}
    assert expected <= {page.relative_to(site) for page in site.rglob("*.html")}
    assert "Copyright" in (site / "license.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Reader]) -> None:
    loads = {load for reader in pages.values() for load in reader.loads}
    assert any(load.endswith(".js") for load in loads)
    outside = [load for load in loads if urlsplit(load).scheme not in ("", "data")]
    assert outside + [load for load in loads if load.startswith("//")] == []
    for style in site.rglob("*.css"):
        outside = re.findall(r"url\(['\"]?(?:https?:)?//[^)]*", style.read_text(encoding="utf-8"))
        assert outside == [], style


def test_every_link_leads_to_a_file_and_every_anchor_to_a_place(
    site: Path, pages: dict[Path, Reader]
) -> None:
    broken = []
    checked = 0
    for page, reader in pages.items():
        if page.name == "404.html":  # its links are those of a server's root
            continue
        for link in [*reader.loads, *reader.links]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchor = unquote(parts.fragment)
            checked += 1
            if not target.is_file() or not target.is_relative_to(site):
                broken.append(f"{page.name}: {link}")
            elif anchor and target in pages and anchor not in pages[target].anchors | {"__top"}:
                broken.append(f"{page.name}: {link}: no such place")
    assert broken == []
    assert checked > 1000


def test_broken_links_anchors_and_pictures_are_faults(tmp_path: Path) -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
    (tmp_path / "mkdocs.yml").write_text(re.sub(r"(?m)^hooks:.*$", "", text), encoding="utf-8")
    page = tmp_path / "docs" / "index.md"
    page.parent.mkdir()

    def build() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", tmp_path / "site"],
            cwd=tmp_path,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    page.write_text("# A page\n\n[itself](#a-page)\n", encoding="utf-8")
    done = build()
    assert done.returncode == 0, done.stderr
    faults = "[a](no-page.md) [b](#no-place) ![c](no-picture.png) [d](/no/root.md)"
    page.write_text(f"# A page\n\n{faults}\n", encoding="utf-8")
    done = build()
    assert done.returncode != 0
    for fault in ("no-page.md", "#no-place", "no-picture.png", "/no/root.md"):
        assert fault in done.stderr


def test_a_browser_opens_it_from_a_folder_and_searches(site: Path) -> None:
    asked: list[str] = []
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "index.html").as_uri())
        page.fill("input[name=query]", "blackout")
        page.wait_for_selector(".md-search-result__link")
        found = page.locator(".md-search-result__link").evaluate_all("all => all.map(a => a.href)")
        assert any("osc.html" in link for link in found)
        assert page.locator("img").evaluate_all("all => all.every(i => i.naturalWidth > 0)")
        page.set_viewport_size({"width": 390, "height": 844})
        for name in ("index", "osc", "readme"):
            page.goto((site / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert asked and [url for url in asked if not url.startswith(("file:", "data:"))] == []
