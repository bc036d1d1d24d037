"""Sharing: which picture is sent and when, on a clock that costs nothing; and the ways out."""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from player.clock import OfflineClock
from player.share import outlets as ways
from player.share.command import add_arguments, streams_of
from player.share.outlets import WAYS, OutletError, opened, way
from player.share.pace import Pace
from player.share.sharing import POLL_NS, Counts, Outlets, Stream, share, side_by_side
from player.wall.front_buffer import Glimpse

MS = 1_000_000
TICK_NS = 33_333_333
SIZE = (4, 2)  # width, height

Pixels = np.ndarray


class Player:
    """A front buffer on a clock: picture n is shown from times_ns[n] on."""

    def __init__(self, clock: OfflineClock, times_ns: list[int]) -> None:
        self._clock, self._times_ns, self._seen = clock, times_ns, 0

    def poll(self) -> Glimpse | None:
        shown = sum(time <= self._clock.now_ns() for time in self._times_ns)
        if shown == self._seen:
            return None
        self._seen = shown
        return Glimpse(1, shown, np.full((1, 2, 4, 3), shown - 1, np.uint8))


class Receiver:
    """Takes what is sent: (when, the picture's number). slow: the number that takes 115 ms."""

    where = "here"

    def __init__(self, clock: OfflineClock, slow: int | None = None) -> None:
        self._clock, self._slow = clock, slow
        self.got: list[tuple[int, int]] = []
        self.is_closed = False

    def send(self, picture: Pixels) -> None:
        self.got.append((self._clock.now_ns(), int(picture[0, 0, 0])))
        if self.numbers[-1] == self._slow:
            self._clock.wait_until_ns(self._clock.now_ns() + 115 * MS)

    def close(self) -> None:
        self.is_closed = True

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.got]


def shared(
    times_ns: list[int], fps: int, until_ns: int, slow: int | None = None
) -> tuple[Receiver, Counts, list[str]]:
    clock, told = OfflineClock(), []
    receiver = Receiver(clock, slow)
    counts = share(
        Player(clock, times_ns),
        Outlets([Stream("one", 0)], lambda name, size_px: receiver),
        Pace.of(Fraction(fps), Fraction(30)),
        clock,
        told.append,
        lambda: clock.now_ns() >= until_ns,
    )
    return receiver, counts, told


def test_every_picture_is_sent_once_when_it_comes() -> None:
    times = [7 * MS + n * TICK_NS for n in range(200)]
    receiver, counts, told = shared(times, 30, times[-1] + 10 * MS)
    assert receiver.numbers == list(range(200))
    assert all(0 <= at - time <= POLL_NS for (at, _), time in zip(receiver.got, times, strict=True))
    assert counts == Counts(sent=200, again=0)
    assert told == ["Sending: here, 4x2."]


def test_a_player_that_trembles_loses_nothing() -> None:
    jitter = np.random.default_rng(5).integers(-6 * MS, 6 * MS, 250)
    times = [10 * MS + n * TICK_NS + int(off) for n, off in enumerate(jitter)]
    receiver, counts, _ = shared(times, 30, times[-1] + 10 * MS)
    assert receiver.numbers == list(range(250)) and counts.again == 0


def test_a_player_whose_clock_is_slewed_loses_nothing() -> None:
    for share_of_tick in (0.9995, 1.0005):
        times = [int(n * TICK_NS * share_of_tick) for n in range(250)]
        receiver, counts, _ = shared(times, 30, times[-1] + 10 * MS)
        assert receiver.numbers == list(range(250)) and counts.again == 0


def test_after_a_delay_pictures_come_at_once_again() -> None:
    """Who starts between two pictures, or was held up, does not stay behind."""
    times = [n * TICK_NS - 20 * MS for n in range(100)]
    receiver, counts, _ = shared(times, 30, times[-1] + 10 * MS, slow=50)
    late = {number: at - times[number] for at, number in receiver.got}
    assert late[0] == 20 * MS and late[53] > 10 * MS
    assert max(late[number] for number in [*range(3, 51), *range(57, 100)]) <= POLL_NS
    assert [n for n in range(100) if n not in late] == [51, 52] and counts.again == 0


@pytest.mark.parametrize("fps", [10, 15, 20, 25, 29])
def test_fewer_pictures_come_evenly_each_the_newest(fps: int) -> None:
    times = [n * TICK_NS for n in range(240)]
    receiver, counts, _ = shared(times, fps, times[-1])
    between = np.diff([at for at, _ in receiver.got])
    assert np.abs(between - 1e9 / fps).max() <= 2  # ns
    assert all(at - times[number] < TICK_NS for at, number in receiver.got)
    assert counts.again == 0


def test_more_pictures_are_the_same_again() -> None:
    times = [n * TICK_NS for n in range(100)]
    receiver, counts, _ = shared(times, 60, times[-1])
    assert receiver.numbers[:6] == [0, 0, 1, 1, 2, 2]
    assert (counts.sent, counts.again) == (198, 99)


def test_the_last_picture_is_held_while_the_player_is_away() -> None:
    leaves, returns = 30 * TICK_NS, 5_000 * MS
    times = [n * TICK_NS for n in range(31)] + [returns + n * TICK_NS for n in range(30)]
    receiver, counts, told = shared(times, 30, times[-1] + MS)
    held = [at for at, number in receiver.got if number == 30][1:]
    assert 0 <= held[0] - (leaves + TICK_NS + TICK_NS // 2) <= POLL_NS
    assert set(np.diff(held)) == {TICK_NS}
    assert counts.again == len(held) == (returns - leaves) // TICK_NS - 1
    assert receiver.numbers[-30:] == list(range(31, 61))
    assert [sentence.split(":")[0] for sentence in told] == [
        "Sending",
        "No new picture for two seconds",
        "The player is there.",
    ]


def test_without_a_player_nothing_is_sent_and_it_is_told_once() -> None:
    receiver, counts, told = shared([], 30, 10_000 * MS)
    assert receiver.got == [] and counts == Counts()
    assert len(told) == 1 and "--front-buffer" in told[0]


def test_all_screens_stand_side_by_side() -> None:
    pixels = np.arange(3 * 2 * 4 * 3, dtype=np.uint8).reshape(3, 2, 4, 3)
    wide = side_by_side(pixels)
    assert wide.shape == (2, 12, 3)
    for place in range(3):
        np.testing.assert_array_equal(wide[:, 4 * place : 4 * place + 4], pixels[place])


def test_streams_are_opened_anew_for_pictures_of_another_size() -> None:
    clock, made = OfflineClock(), []

    def make(name: str, size_px: tuple[int, int]) -> Receiver:
        made.append((name, size_px, Receiver(clock)))
        return made[-1][2]

    outlets = Outlets([Stream("first", 0), Stream("wide", None)], make)
    assert outlets.send(np.zeros((2, 2, 4, 3), np.uint8)) == "Sending: here, 4x2; here, 8x2."
    assert outlets.send(np.ones((2, 2, 4, 3), np.uint8)) == ""
    assert outlets.send(np.full((2, 6, 4, 3), 9, np.uint8)) == "Sending: here, 4x6; here, 8x6."
    names = [(name, size_px) for name, size_px, _ in made]
    assert names == [("first", (4, 2)), ("wide", (8, 2)), ("first", (4, 6)), ("wide", (8, 6))]
    assert [receiver.numbers for *_, receiver in made] == [[0, 1], [0, 1], [9], [9]]
    assert [receiver.is_closed for *_, receiver in made] == [True, True, False, False]
    outlets.close()
    assert all(receiver.is_closed for *_, receiver in made)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((None, None, "ndi"), ["Ballads"]),
        ((None, [2, 7], "ndi"), ["Ballads 2", "Ballads 7"]),
        (("stage", [3], "spout"), ["stage 3"]),
        (("/dev/video10", [3], "v4l2"), ["/dev/video10"]),
    ],
)
def test_what_streams_are_called(
    words: tuple[str | None, list[int] | None, str], names: list[str]
) -> None:
    streams = streams_of("Ballads", *words)
    assert [stream.name for stream in streams] == names
    assert [stream.place for stream in streams] == (
        [None] if not words[1] else [0, 1][: len(names)]
    )


def test_one_device_takes_one_screen() -> None:
    with pytest.raises(OutletError, match="several screens"):
        streams_of("Ballads", "/dev/video10", [1, 2], "v4l2")


def test_a_way_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(OutletError, match=r"cyndilib.*pip install '\.\[ndi\]'"):
        way("ndi")
    with pytest.raises(OutletError, match=r"pyvirtualcam.*pip install '\.\[v4l2\]'"):
        way("v4l2")
    for name, system in (("spout", "Windows"), ("syphon", "macOS")):
        with pytest.raises(OutletError, match=f"for {system} alone"):
            way(name)


def test_a_package_that_does_not_start_is_a_sentence() -> None:
    def broken(name: str, size_px: tuple[int, int], fps: Fraction) -> Receiver:
        raise ImportError("libndi.so.6: cannot open shared object file")

    with pytest.raises(OutletError, match=r"NDI does not start: libndi"):
        opened(ways.Way("NDI", "cyndilib", broken), Fraction(30), "one", SIZE)


@pytest.mark.parametrize("words", ["--fps 0", "--fps x", "--fps 1/0", "--screen 0", "--screen x"])
def test_what_is_no_rate_or_screen_is_refused(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--to", "ndi", *words.split()])
    assert "count from 1" in (told := capsys.readouterr().err) or "write it as in" in told


def test_rates_are_exact() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(["--to", "ndi", "--fps", "30000/1001"]).fps == Fraction(30000, 1001)


def test_a_virtual_camera_gets_every_picture() -> None:
    """With the package itself, up to where it would open /dev/video: that takes a kernel module."""
    pyvirtualcam = pytest.importorskip("pyvirtualcam", reason="the extra v4l2 is not installed")
    frames: list[Pixels] = []

    class Device:
        def __init__(
            self, *, width: int, height: int, fps: float, fourcc: int, device: str
        ) -> None:
            assert (width, height, fps, device) == (4, 2, 30.0, "/dev/video10")

        def close(self) -> None:
            frames.append(np.zeros(0, np.uint8))

        def send(self, frame: Pixels) -> None:
            frames.append(frame.copy())

        def device(self) -> str:
            return "/dev/video10"

        def native_fourcc(self) -> None:
            return None

    before = dict(pyvirtualcam.camera.BACKENDS)
    pyvirtualcam.camera.BACKENDS.clear()
    pyvirtualcam.register_backend("recording", Device)
    try:
        outlet = opened(WAYS["v4l2"], Fraction(30), "/dev/video10", SIZE)
        picture = np.arange(2 * 12 * 3, dtype=np.uint8).reshape(2, 12, 3)[:, 4:8]
        outlet.send(picture)
        assert outlet.where == "/dev/video10"
        outlet.close()
    finally:
        pyvirtualcam.camera.BACKENDS.clear()
        pyvirtualcam.camera.BACKENDS.update(before)
    np.testing.assert_array_equal(frames[0].reshape(2, 4, 3), picture)
    assert len(frames) == 2 and frames[1].size == 0


def test_without_a_camera_device_it_is_a_sentence() -> None:
    pytest.importorskip("pyvirtualcam", reason="the extra v4l2 is not installed")
    with pytest.raises(OutletError, match=r"no camera to send to: .*video77"):
        opened(WAYS["v4l2"], Fraction(30), "/dev/video77", SIZE)


def fake_spout(record: Callable[..., bool]) -> dict[str, types.ModuleType]:
    """As SpoutGL's binding declares its sender."""

    class SpoutSender:
        def setSenderName(self, name: str) -> None:  # noqa: N802
            record("name", name)

        def sendImage(  # noqa: N802
            self, pixels: Pixels, width: int, height: int, form: int, invert: bool, host: int
        ) -> bool:
            return record("image", pixels.copy(), (width, height), form, invert, host)

        def releaseSender(self) -> None:  # noqa: N802
            record("released")

    package, enums = types.ModuleType("SpoutGL"), types.ModuleType("SpoutGL.enums")
    vars(package).update(SpoutSender=SpoutSender, enums=enums)
    vars(enums).update(GL_RGBA=0x1908)
    return {"SpoutGL": package, "SpoutGL.enums": enums}


def test_spout_gets_what_its_binding_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the binding's declarations alone: Spout itself was never tried."""
    calls: list[tuple[object, ...]] = []
    takes = [True, False]

    def record(what: str, *rest: object) -> bool:
        calls.append((what, *rest))
        return takes.pop(0) if what == "image" else True

    for name, module in fake_spout(record).items():
        monkeypatch.setitem(sys.modules, name, module)
    outlet = opened(WAYS["spout"], Fraction(30), "Ballads 3", SIZE)
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    outlet.send(picture)
    with pytest.raises(OutletError, match="Spout takes no pictures"):
        outlet.send(picture)
    outlet.close()
    assert [call[0] for call in calls] == ["name", "image", "image", "released"]
    sent = calls[1]
    assert isinstance(sent[1], np.ndarray) and sent[1].flags.c_contiguous
    np.testing.assert_array_equal(sent[1][..., :3], picture)
    assert (sent[1][..., 3] == 255).all() and sent[2:] == (SIZE, 0x1908, False, 0)
