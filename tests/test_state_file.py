"""What outlives a killed player: kept whole, read with care, gone on with on the right frame."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.clock import HouseClock, boot_id, wall_ns
from player.commands import Blackout, Pause, SetBallad
from player.transport import Transport, apply_command, frame_at, opening_transport
from player.transport_text import transport_text
from player.upkeep import state_file
from player.upkeep.saved_state import (
    LONGEST_GAP_NS,
    MAX_STATE_BYTES,
    SavedState,
    StateError,
    resumed_origin_ns,
    resumed_state,
    state_of,
    state_text,
)
from player.upkeep.state_file import KEEP_EVERY_S, StateKeeper, resumed
from shows.fingerprint import show_fingerprint
from shows.schema import ShowError
from shows.show import Show
from shows.timebase import frame_to_ns, ns_to_frame
from tests.child_python import run_child
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show

FPS = Fraction(30)
S = 1_000_000_000
HOUR = 3600 * S


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    return make_tiny_show(tmp_path_factory.mktemp("show"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deeper" / "state.json"


def a_state(show: Show, /, **changes: Any) -> SavedState:
    """Saved on tick 300, ten seconds after the start."""
    saved = SavedState(
        show=show_fingerprint(show),
        transport=transport_text(opening_transport(show)),
        tick=300,
        tick_ns=1000 * S,
        boot="boot-1",
        wall_ns=10**18,
        saved_monotonic_ns=1010 * S,
        fps=FPS,
    )
    return replace(saved, **changes)


def kept(path: Path) -> SavedState | None:
    return state_of(path.read_bytes()) if path.exists() else None


def test_the_wall_clock_and_the_boot_are_those_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "now").touch()
    assert abs(wall_ns() - (tmp_path / "now").stat().st_mtime_ns) < HOUR
    elsewhere = run_child(
        ["-c", "from player.clock import boot_id; print(boot_id())"], "", tmp_path
    )
    assert elsewhere.strip() == boot_id() and (boot_id() or not sys.platform.startswith("linux"))


# What a saved state means later


@pytest.mark.parametrize(
    ("boot", "now_ns", "utc_ns", "frame"),
    [
        ("boot-1", 1010 * S, 10**18, 300),
        ("boot-1", 1012 * S, 10**18, 360),
        ("boot-1", 1012 * S, 10**18 - 5 * HOUR, 360),  # the wall clock does not matter here
        ("boot-1", 1010 * S + LONGEST_GAP_NS, 0, 300 + 24 * 108_000),
        ("boot-2", 0, 10**18, 300),
        ("boot-2", 40 * S, 10**18 + 60 * S, 300 + 1800),
        ("boot-2", 5 * S, 10**18 + LONGEST_GAP_NS, 300 + 24 * 108_000),
        ("", 40 * S, 10**18 + 60 * S, 300 + 1800),  # a system that tells no boots
        ("boot-1", 1009 * S, 10**18 + 60 * S, 300 + 1800),  # its clock cannot be that one
    ],
)
def test_the_frame_it_goes_on_at(
    show: Show, boot: str, now_ns: int, utc_ns: int, frame: int
) -> None:
    found = resumed_state(
        a_state(show), show, show_fingerprint(show), now_ns=now_ns, wall_ns=utc_ns, boot=boot
    )
    assert frame_at(found.transport, ns_to_frame(now_ns - found.origin_ns, FPS)) == frame
    assert f"frame {frame}:" in found.sentence and found.saved_wall_ns == 10**18


@pytest.mark.parametrize(
    ("boot", "now_ns", "utc_ns", "why"),
    [
        ("boot-1", 1010 * S + LONGEST_GAP_NS + 1, 10**18, "24 hours old"),
        ("boot-2", 40 * S, 10**18 + LONGEST_GAP_NS + 1, "24 hours old"),
        ("boot-2", 40 * S, 10**18 - 1, "the wall clock was set back"),
        ("boot-2", 40 * S, 0, "the wall clock was set back"),
    ],
)
def test_when_it_does_not_go_on(show: Show, boot: str, now_ns: int, utc_ns: int, why: str) -> None:
    with pytest.raises(StateError, match=why):
        resumed_origin_ns(a_state(show), now_ns=now_ns, wall_ns=utc_ns, boot=boot)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"show": "0" * 64}, "of another show"),
        ({"fps": Fraction(25)}, "25 frames a second"),
        ({"fps": Fraction(30000, 1001)}, "30000/1001 frames a second"),
        ({"transport": "{}"}, "no transport"),
        ({"transport": ""}, "no transport"),
    ],
)
def test_what_is_not_gone_on_with(show: Show, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(StateError, match=why):
        resumed_state(
            a_state(show, **changes),
            show,
            show_fingerprint(show),
            now_ns=1011 * S,
            wall_ns=10**18,
            boot="boot-1",
        )


def test_a_pause_a_blackout_and_a_change_of_ballad_go_on(show: Show) -> None:
    transport = opening_transport(show)
    transport = apply_command(show, transport, SetBallad("ballad-3"), 100)
    transport = apply_command(show, transport, Blackout(True), 200)
    transport = apply_command(show, transport, Pause(), 250)
    saved = a_state(show, transport=transport_text(transport))
    found = resumed_state(
        saved, show, show_fingerprint(show), now_ns=0, wall_ns=10**18 + 60 * S, boot="boot-2"
    )
    assert found.transport == transport
    assert frame_at(found.transport, ns_to_frame(0 - found.origin_ns, FPS)) == 250


@given(
    st.integers(0, 10**16),
    st.integers(0, 10**7),
    st.integers(0, LONGEST_GAP_NS),
    st.integers(0, 10**15),
)
def test_the_tick_is_the_one_of_a_show_that_ran_on(
    origin_ns: int, tick: int, gap_ns: int, now_ns: int
) -> None:
    saved_ns = origin_ns + frame_to_ns(tick, FPS)
    saved = SavedState("f", "t", tick, origin_ns, "boot-1", 10**18, saved_ns, FPS)
    due = ns_to_frame(frame_to_ns(tick, FPS) + gap_ns, FPS)
    for boot, then_ns in (("boot-1", saved_ns + gap_ns), ("boot-2", now_ns)):
        found_ns, found_gap_ns = resumed_origin_ns(
            saved, now_ns=then_ns, wall_ns=10**18 + gap_ns, boot=boot
        )
        assert ns_to_frame(then_ns - found_ns, FPS) == due and found_gap_ns == gap_ns


def test_text_and_back(show: Show) -> None:
    saved = a_state(show, fps=Fraction(30000, 1001), tick_ns=-5, boot="")
    assert state_of(state_text(saved)) == saved
    assert json.loads(state_text(saved))["schema_version"] == 1


# Read with care


def hostile(show: Show) -> dict[str, bytes]:
    good = json.loads(state_text(a_state(show)))
    wrong: dict[str, Any] = {
        "tick": "300",
        "tick_ns": 1.5,
        "wall_ns": 2**64,
        "boot": "x" * 65,
        "show": None,
        "transport": {"anchor": [0, 0]},
        "fps": [30, 0],
        "saved_monotonic_ns": True,
        "schema_version": 2,
    }
    found = {name: json.dumps({**good, name: value}).encode() for name, value in wrong.items()}
    transport = json.loads(good["transport"])
    for name, value in {
        "anchor": [0],
        "cues": transport["cues"][:-1],
        "rate": 7,
        "blackout": [True, 2**70],
        "identified": list(range(100)),
    }.items():
        text = json.dumps({**transport, name: value})
        found[f"transport {name}"] = json.dumps({**good, "transport": text}).encode()
    transport["cues"][3][0][0] = "no-such-ballad"
    found["a ballad"] = json.dumps({**good, "transport": json.dumps(transport)}).encode()
    return found | {
        "empty": b"",
        "a word less": json.dumps({k: v for k, v in good.items() if k != "tick"}).encode(),
        "a word more": json.dumps({**good, "exec": "rm"}).encode(),
        "a list": b"[]",
        "null": b"null",
        "cut short": state_text(a_state(show))[:-20],
        "zeros": b"\0" * 500,
        "no text": bytes(range(256)),
        "nested": b"[" * 60_000,
        "nested words": b'{"show":' * 8_000,
        "long number": b'{"tick": ' + b"9" * 60_000 + b"}",
        "infinite": json.dumps({**good, "tick": 0}).replace('"tick": 0', '"tick": 1e999').encode(),
        "huge": b" " * (MAX_STATE_BYTES + 1),
        "surrogates": b'{"show": "\\ud800"}',
    }


def test_a_damaged_file_is_a_sentence(
    show: Show, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.json"
    for name, content in hostile(show).items():
        path.write_bytes(content)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = resumed(path, show, now_ns=1011 * S, wall_ns=10**18, boot="boot-1")
        assert found is None, name
        assert len(caplog.messages) == 1 and len(caplog.messages[0]) < 700, name
        said = caplog.messages[0]
        assert said.startswith(f"The show begins at its beginning. {path} is not used: "), name
        assert "\n" not in said and said.endswith("."), said


@given(st.binary(max_size=400))
def test_any_bytes_are_a_state_or_a_fault(content: bytes) -> None:
    with pytest.raises(StateError):
        state_of(content)


@given(st.data())
def test_a_flipped_byte_never_escapes(data: st.DataObject) -> None:
    text = bytearray(state_text(SavedState("f", "t", 1, 2, "b", 3, 4, FPS)))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(StateError):
        state_of(bytes(text))


def make_folder(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_folder, make_loop, make_pipe, make_endless])
def test_what_is_no_file_is_not_read(
    show: Show, tmp_path: Path, make: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.json"
    make(path)
    assert resumed(path, show, now_ns=0, wall_ns=0, boot="") is None
    assert len(caplog.messages) == 1


def test_no_file_is_no_fault(show: Show, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert resumed(tmp_path / "none" / "x", show, now_ns=0, wall_ns=0, boot="") is None
    assert caplog.messages == []


# Kept while the show runs


def test_a_kept_state_is_gone_on_with(
    show: Show, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = HouseClock()
    origin_ns = clock.now_ns() - 7 * S
    transport = apply_command(show, opening_transport(show), SetBallad("ballad-2"), 210)
    keeper = StateKeeper(path, show_fingerprint(show), show.settings.fps)
    keeper.start()
    keeper.keep(transport, 210, origin_ns)
    keeper.close()
    with caplog.at_level(logging.INFO):
        found = resumed(
            path, show, now_ns=clock.now_ns(), wall_ns=wall_ns(), boot=boot_id() or "unknown"
        )
    assert found is not None
    assert (found.transport, found.origin_ns) == (transport, origin_ns) or not boot_id()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 or os.name == "nt"


def written(monkeypatch: pytest.MonkeyPatch) -> list[SavedState]:
    """What the keeper writes, instead of files."""
    states: list[SavedState] = []
    monkeypatch.setattr(
        state_file, "write_atomically", lambda _path, text: states.append(state_of(text))
    )
    return states


def test_only_what_changes_is_written(
    show: Show, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = written(monkeypatch)
    opening = opening_transport(show)
    keeper = StateKeeper(path, "f", FPS)
    keeper.start()
    steps: list[tuple[Transport, int, int, int]] = [
        (opening, 0, 0, 1),
        (opening, 1, 0, 1),
        (replace(opening), 2, 0, 1),  # equal, though another object
        (opening, KEEP_EVERY_S * 30 - 1, 0, 1),
        (opening, KEEP_EVERY_S * 30, 0, 2),
        (opening, KEEP_EVERY_S * 30 + 1, 0, 2),
        (opening, KEEP_EVERY_S * 30 + 1, 7, 3),  # the house clock was set anew
        (opening, 1, 7, 4),  # ... and ticks went back
        (apply_command(show, opening, Pause(), 6), 6, 7, 5),
    ]
    for transport, tick, origin_ns, count in steps:
        keeper.keep(transport, tick, origin_ns)
        assert wait_for(lambda: len(states) >= count)  # noqa: B023 - called at once
    keeper.close()
    assert len(states) == 5
    assert [(state.tick, state.tick_ns) for state in states] == [
        (0, 0),
        (900, 0),
        (901, 7),
        (1, 7),
        (6, 7),
    ]


def test_a_full_disk_is_told_once_and_tried_again(
    show: Show, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    states = written(monkeypatch)
    write = state_file.write_atomically
    tries: list[int] = []

    def full(where: Path, text: bytes) -> None:
        tries.append(state_of(text).tick)
        if len(tries) < 4:
            raise ShowError(f"{where} cannot be written: No space left on device.")
        write(where, text)

    monkeypatch.setattr(state_file, "write_atomically", full)
    opening = opening_transport(show)
    keeper = StateKeeper(path, "f", FPS, retry_every_s=0.02)
    with caplog.at_level(logging.INFO):
        keeper.start()
        keeper.keep(opening, 0, 0)
        assert wait_for(lambda: len(tries) >= 2)
        assert "No space left on device" in keeper.fault and str(path) in keeper.fault
        keeper.keep(opening, 2000, 0)
        assert wait_for(lambda: keeper.fault == "" and len(states) == 1)
        keeper.close()
    assert [state.tick for state in states] == [2000]  # the newest wins
    assert len(caplog.messages) == 2, caplog.messages
    assert caplog.messages[0] == (
        f"What is on cannot be kept for a restart: {path} cannot be written: No space left on "
        "device. Make room, or give another file with --state."
    )


def test_a_full_disk_is_not_asked_more_often_because_much_changes(
    show: Show, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bytes] = []

    def full(_where: Path, text: bytes) -> None:
        tries.append(text)
        raise ShowError("full.")

    monkeypatch.setattr(state_file, "write_atomically", full)
    keeper = StateKeeper(path, "f", FPS, retry_every_s=60)
    keeper.start()
    keeper.keep(opening_transport(show), 0, 0)
    assert wait_for(lambda: keeper.fault != "")
    for origin_ns in range(100):
        keeper.keep(opening_transport(show), 0, origin_ns)
    assert len(tries) == 1
    keeper.close()  # the last try
    assert [state_of(text).tick_ns for text in tries] == [0, 99]


def test_a_folder_that_cannot_be_is_a_sentence(
    show: Show, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    keeper = StateKeeper(tmp_path / "file" / "state.json", "f", FPS)
    keeper.start()
    keeper.keep(opening_transport(show), 0, 0)
    assert wait_for(lambda: keeper.fault != "")
    keeper.close()
    assert len(caplog.messages) == 1 and "file cannot be made" in caplog.messages[0]


def test_a_clean_end_leaves_nothing(show: Show, path: Path) -> None:
    keeper = StateKeeper(path, "f", FPS)
    keeper.start()
    keeper.keep(opening_transport(show), 0, 0)
    assert wait_for(lambda: kept(path) is not None)
    keeper.keep(opening_transport(show), 0, 1)
    keeper.forget()
    keeper.close()
    assert list(path.parent.iterdir()) == []
    keeper.close()


def test_what_was_kept_last_is_written_on_close(show: Show, path: Path) -> None:
    keeper = StateKeeper(path, "f", FPS)
    keeper.start()
    for origin_ns in range(50):
        keeper.keep(opening_transport(show), 0, origin_ns)
    keeper.close()
    last = kept(path)
    assert last is not None and last.tick_ns == 49


def test_leftovers_of_a_killed_writer_are_swept(show: Show, path: Path) -> None:
    path.parent.mkdir()
    left, other = path.parent / f".{path.name}.x7f", path.parent / ".another.json.x7f"
    left.write_text("half")
    other.write_text("not ours")
    keeper = StateKeeper(path, "f", FPS)
    keeper.start()
    keeper.keep(opening_transport(show), 0, 0)
    keeper.close()
    assert sorted(path.parent.iterdir()) == sorted([other, path])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_the_old_or_the_new_state_is_there_whole(path: Path) -> None:
    path.parent.mkdir()
    lines = run_child(
        ["-m", "tests.state_killer", str(path), "30", "5"], "", path.parent.parent
    ).splitlines()
    assert len(lines) == 30
    for line in lines:
        held, newest, others = map(int, line.split())
        assert newest <= held <= newest + 1 and others <= 1, lines
