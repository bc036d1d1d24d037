"""A window that is put where it belongs, on a GLFW that only writes down what it is told."""

from __future__ import annotations

from typing import Any

import pytest

from player.wall import window as module
from player.wall.monitors import Area
from player.wall.window import MOST_TRIES, Window


class Windows:
    """Says yes to everything; windows move only when `obey` lets them."""

    PRESS, KEY_ESCAPE, KEY_Q, KEY_A, KEY_Z = 1, 256, 81, 65, 90

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.callbacks: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.isupper():
            return name
        if name.startswith("set_") and name.endswith("_callback"):
            return lambda _, callback: self.callbacks.__setitem__(name[4:-9], callback)
        return lambda *arguments: self.calls.append((name, *arguments[1:]))

    def create_window(self, *_: object) -> str:
        return "window"

    def get_window_pos(self, _: object) -> tuple[int, int]:
        return (0, 0)

    def get_window_size(self, _: object) -> tuple[int, int]:
        return (64, 48)

    get_framebuffer_size = get_window_size

    def obey(self) -> list[str]:
        """Events for what was asked since the last call; returns the calls' names."""
        calls, self.calls = self.calls, []
        for name, *values in calls:
            if name == "set_window_pos":
                self.callbacks["window_pos"](None, *values)
            elif name == "set_window_size":
                self.callbacks["window_size"](None, *values)
                self.callbacks["framebuffer_size"](None, *values)
        return [name for name, *_ in calls]


@pytest.fixture
def glfw() -> Windows:
    return Windows()


@pytest.fixture
def window(glfw: Windows, monkeypatch: pytest.MonkeyPatch) -> Window:
    monkeypatch.setattr(module.moderngl, "create_context", lambda **_: None)
    made = Window(glfw, (64, 48), "wall 1", None, [], None)
    glfw.obey()
    return made


def test_it_is_hidden_until_it_has_a_place(glfw: Windows, window: Window) -> None:
    assert not window.is_shown
    window.stand(Area(10, 20, 64, 48))
    assert window.is_shown
    assert glfw.obey() == ["set_window_pos", "show_window", "set_window_pos"]
    window.stand(Area(10, 20, 64, 48))
    assert glfw.obey() == [], "it stands right"


def test_a_new_size_is_taken_when_the_desktop_says_so(glfw: Windows, window: Window) -> None:
    window.stand(Area(10, 20, 640, 480))
    assert window.size_px == (64, 48)
    assert "set_window_size" in glfw.obey()
    assert window.size_px == (640, 480)


def test_hidden_it_keeps_its_size_and_comes_back(glfw: Windows, window: Window) -> None:
    window.hide()
    assert glfw.obey() == [], "it was not shown"
    window.stand(Area(10, 20, 64, 48))
    glfw.obey()
    window.hide()
    window.hide()
    assert glfw.obey() == ["hide_window"] and window.size_px == (64, 48)
    window.stand(Area(10, 20, 64, 48))
    assert "show_window" in glfw.obey() and window.is_shown


def test_what_something_else_moves_is_put_back_but_not_for_ever(
    glfw: Windows, window: Window, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = Area(10, 20, 64, 48)
    window.stand(wanted)
    glfw.obey()
    for _ in range(MOST_TRIES + 5):
        glfw.callbacks["window_pos"](None, 0, 0)
        window.stand(wanted)
    assert [call[0] for call in glfw.calls] == ["set_window_pos"] * (MOST_TRIES - 1)
    assert len(caplog.messages) == 1 and "does not leave the window 'wall 1'" in caplog.text
    glfw.obey()
    window.stand(Area(30, 20, 64, 48))
    assert glfw.obey() == ["set_window_pos"], "another place is another matter"


def test_letters_are_kept_and_q_and_escape_close(glfw: Windows, window: Window) -> None:
    press = glfw.callbacks["key"]
    for key, action in ((73, 1), (73, 0), (48, 1), (300, 1), (90, 1)):
        press("window", key, 0, action, 0)
    assert window._keys == ["i", "z"] and glfw.calls == []
    press("window", 81, 0, 1, 0)
    press("window", 256, 0, 1, 0)
    assert glfw.calls == [("set_window_should_close", True)] * 2
    for _ in range(100):
        press("window", 73, 0, 1, 0)
    assert len(window._keys) == 16, "a held key fills no memory"
