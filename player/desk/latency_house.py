"""The processes of which the latency is measured: a player, a desk, a browser; ended after it."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from player.desk.latency_watch import SCRIPT

START_S = 60
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class BenchError(Exception):
    """It cannot be measured; the text is a sentence."""


class Child:
    """A process of ours, listened to so that it never waits for a reader. End it with `end`."""

    def __init__(self, *words: object) -> None:
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "run_installation", *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._news = threading.Condition()
        self._ears = threading.Thread(target=self._listen, daemon=True)
        self._ears.start()

    def said(self, pattern: str) -> str:
        """The first group of the pattern, once it is said. Raises BenchError."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, "\n".join(self._lines))

        with self._news:
            self._news.wait_for(lambda: found() or self._process.poll() is not None, START_S)
        match = found()
        if match is None:
            told = "\n".join(self._lines[-5:])
            raise BenchError(f"What was to be measured did not start:\n{told}")
        return match[1]

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._ears.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                with self._news:
                    self._lines.append(line.rstrip())
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()


@contextmanager
def opened_page(address: str) -> Iterator[Any | str]:
    """The desk in a browser of its own; or why there is none, as a sentence."""
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        yield "The browser is left out: playwright is not installed (pip install playwright)."
        return
    if path is None:
        yield f"The browser is left out: none of {', '.join(BROWSERS)} is on the PATH."
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with contextlib.closing(browser):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(SCRIPT)
            page.goto(address)
            page.wait_for_function("window.did_handshake")
            yield page
