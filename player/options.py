"""What the command line says to the player. Values only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mode = Literal["auto", "live", "film", "slate"]
OutputKind = Literal["windows", "span", "headless"]


@dataclass(frozen=True)
class Options:
    """What the command line says. size: of one screen in pixels, None for the outputs' own. plain:
    without the show's upscaling and surface.

    state, journal: see docs/reliability.md. make_films: those that are missing, in the background.
    thumbnails: a file of small pictures for the desk; front: one of what the screens show, of
    front_px each if there are windows. The empty path: the OSC port's usual. watch: the show's
    files, and read them anew when they change.
    program: run_installation.py itself. film_decoder: a device type of FFmpeg, as in "cuda".
    """

    show: Path
    mode: Mode = "auto"
    outputs: OutputKind | None = None
    size: tuple[int, int] | None = None
    frames: int | None = None
    machine: Path | None = None
    stamp: bool = False
    plain: bool = False
    front: Path | None = None
    front_px: tuple[int, int] | None = None
    thumbnails: Path | None = None
    node: str | None = None
    report: Path | None = None
    snapshot: Path | None = None
    osc_host: str = "127.0.0.1"
    osc_port: int = 9000
    osc_tcp: bool = False
    threads: int = 1
    state: Path | None = None
    journal: Path | None = None
    make_films: bool = False
    falls_back: bool = True
    film_decoder: str = ""
    allow: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    watch: bool = False
    program: Path = Path("run_installation.py")


class ApplicationError(Exception):
    """The installation cannot run; the text is a sentence for the person who started it."""
