"""Holding the screen saver off: what is told, and that it ends with the wall."""

from __future__ import annotations

import logging

import pytest
import wakepy

from player.wall import stay_awake as module
from player.wall.stay_awake import stay_awake


class Mode:
    """A wakepy mode that works or does not."""

    def __init__(self, active: bool) -> None:
        self.active, self.method, self.is_open = active, "org.gnome.SessionManager", False

    def __enter__(self) -> Mode:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False


@pytest.mark.parametrize("active", [True, False])
def test_a_desktops_locker_is_held_off_until_the_end(
    active: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="player.wall.stay_awake")
    mode = Mode(active)
    monkeypatch.setattr(wakepy.keep, "presenting", lambda **_: mode)
    with stay_awake(None):
        assert mode.is_open
    assert not mode.is_open
    (message,) = caplog.messages
    expected = "off through org.gnome.SessionManager." if active else "Nothing here lets"
    assert expected in message


def test_whatever_a_desktop_throws_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: object) -> None:
        raise OSError("no bus")

    monkeypatch.setattr(wakepy.keep, "presenting", broken)
    stay_awake(None).close()
    assert "Nothing here lets the screen saver be held off" in caplog.text


def test_the_x_servers_own_saver_is_held_off_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="player.wall.stay_awake")
    monkeypatch.setattr(wakepy.keep, "presenting", lambda **_: Mode(False))
    ended = []
    monkeypatch.setattr(module, "_suspend_x11_saver", lambda _: lambda: ended.append(True))
    with stay_awake(1):
        assert ended == []
    assert ended == [True]
    assert "held off through the X server." in caplog.text


def test_without_libxss_there_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(module.ctypes, "CDLL", missing)
    assert module._suspend_x11_saver(1) is None
