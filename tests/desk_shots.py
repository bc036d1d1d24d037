"""The pictures of the desk in docs/images: `python -m tests.desk_shots FOLDER [--after SECONDS]`.

Plays the shipped show headless with a desk in front of it and photographs it with the system's
chromium, as it is after so many seconds: what is late is seen to be late.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tests.browser import open_browser
from tests.desk_process import DeskProcess
from tests.installation_process import ROOT, Installation

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
JPEG_QUALITY = 85


def main() -> None:
    """`desk.jpg`, `desk-phone.jpg`, `desk-label.jpg`, and each of the first two scrolled to the
    measures, as `-health`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--after", type=float, default=90, help="seconds (default %(default)s)")
    parser.add_argument("--show", type=Path, default=ROOT / "shows" / "inspace")
    parser.add_argument("--mode", default="auto", help="of the player (default %(default)s)")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch) / "small"
        words = ["--show", args.show, "--mode", args.mode, "--outputs", "headless"]
        with Installation(*words, "--thumbnails", small) as player:
            port = int(player.said(r"OSC: \S+ port (\d+)")[1])
            desk = DeskProcess(args.show, port, "--thumbnails", small)
            with desk, open_browser() as browser:
                photograph(browser, desk.address, args.folder, args.after)


def photograph(browser: Any, address: str, folder: Path, after_s: float) -> None:
    """All of them at the same instant, more or less."""
    phone = {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
    tabs = {
        "desk": open_tab(browser, address, viewport=DESKTOP),
        "desk-phone": open_tab(browser, address, **phone),
        "desk-label": open_tab(browser, f"{address}label/2", viewport=DESKTOP),
    }
    tabs["desk"].wait_for_timeout(1000 * after_s)
    for name, tab in tabs.items():
        save(tab, folder / f"{name}.jpg")
    for name in ("desk", "desk-phone"):
        tabs[name].locator(".health").scroll_into_view_if_needed()
        tabs[name].evaluate("document.querySelector('.columns').scrollIntoView()")
        if name == "desk-phone":
            tabs[name].evaluate("document.querySelector('.health').scrollIntoView()")
        save(tabs[name], folder / f"{name}-health.jpg")


def open_tab(browser: Any, address: str, **context: Any) -> Any:
    tab = browser.new_context(**context).new_page()
    tab.goto(address)
    tab.wait_for_function("window.did_handshake")
    return tab


def save(tab: Any, path: Path) -> None:
    tab.screenshot(path=path, type="jpeg", quality=JPEG_QUALITY)


if __name__ == "__main__":
    main()
