"""The ways to other programs: each is somebody else's package, asked for when it is used.

What was tried with pictures and what was not stands in docs/sharing.md.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from player.share.sharing import Outlet, Pixels


class OutletError(Exception):
    """Pictures cannot go that way; the text is a sentence."""


class NdiOutlet:
    """An NDI source of this machine. Without a receiver a picture costs nothing."""

    def __init__(self, name: str, size_px: tuple[int, int], fps: Fraction) -> None:
        from cyndilib.sender import Sender
        from cyndilib.video_frame import VideoSendFrame
        from cyndilib.wrapper.ndi_structs import FourCC

        frame = VideoSendFrame()
        frame.set_resolution(*size_px)
        frame.set_fourcc(FourCC.RGBX)
        frame.set_frame_rate(fps)
        self._sender = Sender(name, clock_video=False)  # the player is the clock
        self._sender.set_video_frame(frame)
        self._sender.open()
        self._rgbx = _with_fourth(size_px)

    @property
    def where(self) -> str:
        return str(self._sender.name)

    def send(self, picture: Pixels) -> None:
        if self._sender.get_num_connections(0) > 0:
            _fill(self._rgbx, picture)
            self._sender.write_video(self._rgbx.reshape(-1))

    def close(self) -> None:
        self._sender.close()


class CameraOutlet:
    """A camera of this machine that is none: v4l2loopback on Linux."""

    def __init__(self, name: str, size_px: tuple[int, int], fps: Fraction) -> None:
        """name: the device if it is a path; else the first free one is taken."""
        import pyvirtualcam

        device = name if name.startswith("/") else None
        try:
            self._camera = pyvirtualcam.Camera(*size_px, float(fps), device=device)
        except RuntimeError as fault:
            raise OutletError(f"There is no camera to send to: {fault}") from fault

    @property
    def where(self) -> str:
        return str(self._camera.device)

    def send(self, picture: Pixels) -> None:
        try:
            self._camera.send(np.ascontiguousarray(picture))
        except RuntimeError as fault:
            raise OutletError(f"The camera takes no more pictures: {fault}") from fault

    def close(self) -> None:
        self._camera.close()


class SpoutOutlet:
    """A Spout sender of this machine (Windows)."""

    def __init__(self, name: str, size_px: tuple[int, int], fps: Fraction) -> None:
        import SpoutGL
        from SpoutGL.enums import GL_RGBA

        self._size_px, self._format = size_px, GL_RGBA
        self._sender = SpoutGL.SpoutSender()
        self._sender.setSenderName(name)
        self.where = name
        self._rgba = _with_fourth(size_px)

    def send(self, picture: Pixels) -> None:
        _fill(self._rgba, picture)
        if not self._sender.sendImage(self._rgba, *self._size_px, self._format, False, 0):
            raise OutletError("Spout takes no pictures here: is there a graphics card?")

    def close(self) -> None:
        self._sender.releaseSender()


class SyphonOutlet:
    """A Syphon server of this machine (macOS)."""

    def __init__(self, name: str, size_px: tuple[int, int], fps: Fraction) -> None:
        import syphon
        from syphon.utils.numpy import copy_image_to_mtl_texture
        from syphon.utils.raw import create_mtl_texture

        self._copy = copy_image_to_mtl_texture
        self._server = syphon.SyphonMetalServer(name)
        self.where = name
        self._directory = syphon.SyphonServerDirectory()
        self._directory.run_loop_interval = 0.001  # s
        self._texture = create_mtl_texture(self._server.device, *size_px)
        self._rgba = _with_fourth(size_px)

    def send(self, picture: Pixels) -> None:
        _fill(self._rgba, picture)
        self._copy(self._rgba, self._texture)
        self._server.publish_frame_texture(self._texture)
        self._directory.update_run_loop()  # else no program finds the server

    def close(self) -> None:
        self._server.stop()


@dataclass(frozen=True)
class Way:
    """package: what is imported. platform: as in sys.platform, the only one it is for; "": any."""

    title: str
    package: str
    opened: Callable[[str, tuple[int, int], Fraction], Outlet]
    platform: str = ""


WAYS = {
    "ndi": Way("NDI", "cyndilib", NdiOutlet),
    "v4l2": Way("a virtual camera", "pyvirtualcam", CameraOutlet, "linux"),
    "spout": Way("Spout", "SpoutGL", SpoutOutlet, "win32"),
    "syphon": Way("Syphon", "syphon", SyphonOutlet, "darwin"),
}
_SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "macOS"}


def way(name: str) -> Way:
    """Raises OutletError where it is not to be had, with what to do."""
    found = WAYS[name]
    if found.platform not in ("", sys.platform):
        raise OutletError(
            f"--to {name} is for {_SYSTEMS[found.platform]} alone; --to ndi goes everywhere."
        )
    if importlib.util.find_spec(found.package) is None:
        raise OutletError(
            f"--to {name} needs the package {found.package}: install the extra `{name}`, as in "
            f"pip install '.[{name}]'."
        )
    return found


def opened(chosen: Way, fps: Fraction, name: str, size_px: tuple[int, int]) -> Outlet:
    """Raises OutletError, also where a package is there but does not start."""
    try:
        return chosen.opened(name, size_px, fps)
    except (ImportError, OSError, MemoryError) as fault:
        raise OutletError(f"{chosen.title} does not start: {fault}") from fault


def _with_fourth(size_px: tuple[int, int]) -> Pixels:
    """[H, W, 4], opaque."""
    width, height = size_px
    return np.full((height, width, 4), 255, np.uint8)


def _fill(rgba: Pixels, picture: Pixels) -> None:
    for channel in range(3):  # all three at once take numpy five times as long
        rgba[..., channel] = picture[..., channel]
