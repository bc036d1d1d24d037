"""The graphics driver is reset, the X server killed: the wall says so, and the player ends."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import pytest

from player.wall.contract import OutputError
from player.wall.losses import ContextWatch, DisplayWatch, reset_status_of
from tests.live_show import make_live_show
from tests.virtual_desktop import on_virtual_desktop


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("GL_UNKNOWN_ERROR", r"graphics driver was reset, or has lost its card\. Start"),
        ("GL_OUT_OF_MEMORY", r"graphics memory is used up\. End other programs"),
    ],
)
def test_an_error_that_drawing_cannot_go_on_after(error: str, said: str) -> None:
    with pytest.raises(OutputError, match=said):
        ContextWatch(lambda: error).check()


@pytest.mark.parametrize("error", ["GL_NO_ERROR", "GL_INVALID_OPERATION", "GL_INVALID_VALUE"])
def test_other_errors_end_no_show(error: str) -> None:
    ContextWatch(lambda: error, lambda: 0).check()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0x8253, "was reset while it drew for the player"),
        (0x8254, "was reset because of another program"),
        (0x8255, r"was reset\. Start the player again"),
        (1, r"was reset\. Start the player again"),
    ],
)
def test_a_reset_is_told_with_its_cause(status: int, said: str) -> None:
    with pytest.raises(OutputError, match=said):
        ContextWatch(lambda: "GL_NO_ERROR", lambda: status).check()


class Driver:
    """GLFW with a driver that tells of resets by one of its extensions."""

    def __init__(self, *extensions: str) -> None:
        self._extensions = extensions
        self.asked_for: list[str] = []
        self._answer = ctypes.CFUNCTYPE(ctypes.c_uint)(lambda: 0x8254)

    def extension_supported(self, name: str) -> bool:
        return name in self._extensions

    def get_proc_address(self, name: str) -> int | None:
        self.asked_for.append(name)
        return ctypes.cast(self._answer, ctypes.c_void_p).value


def test_the_drivers_own_word_is_asked_for() -> None:
    driver = Driver("GL_ARB_robustness")
    ask = reset_status_of(driver)
    assert ask is not None and ask() == 0x8254
    assert driver.asked_for == ["glGetGraphicsResetStatusARB"]
    assert reset_status_of(Driver()) is None


def test_without_x_no_display_is_lost() -> None:
    watch = DisplayWatch(None)
    watch.check()
    watch.is_lost = True
    with pytest.raises(OutputError, match="display server has ended"):
        watch.check()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(200)
@pytest.mark.parametrize(("mode", "outputs"), [("live", "windows"), ("slate", "span")])
def test_a_player_whose_x_server_is_killed_ends_with_a_sentence(
    tmp_path: Path, mode: str, outputs: str
) -> None:
    show = make_live_show(tmp_path / "show", moving=False)
    words = (show.folder, "--threads", 1, "--mode", mode, "--outputs", outputs)
    told = json.loads(on_virtual_desktop("tests.display_ends_on_desktop", *words, monitors=2))
    assert told["status"] == 1, told["text"]
    assert "The display server has ended" in told["text"]
    assert "Traceback" not in told["text"]
    assert told["seconds"] < 5
