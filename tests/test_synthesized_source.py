"""The live source over real worker processes that crash, hang, stop and lose their parent."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from numpy.typing import NDArray

from player.clock import HouseClock
from player.frame_source import Pictures
from player.live.held_pictures import HeldPictures
from player.live.ring_layout import (
    FAULT,
    MAX_LOOKAHEAD_FRAMES,
    Geometry,
    PictureInfo,
    put_text,
    ring_bytes,
)
from player.live.shared_segment import segment_folder
from player.live.synthesis_worker import WorkerConfig, WorkerError
from player.live.synthesized_source import SynthesizedSource, distinct_latents
from player.live.worker_process import WORKER_ENVIRONMENT, exit_words, worker_environment
from player.live.worker_watch import Limits
from tests.tick_helpers import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs POSIX signals and /proc")

ROOT = Path(__file__).resolve().parent.parent
SCREENS = 3
GEOMETRY = Geometry(screens=SCREENS, num_ws=2, w_dim=4, height_px=8, width_px=8)
# A machine busy with other tests may hold a worker up for long; only where a hang is meant, the
# show's own limit holds.
QUICK = Limits(hung_ns=5_000_000_000, first_pause_ns=20_000_000, longest_pause_ns=80_000_000)
WATCHFUL = replace(QUICK, hung_ns=Limits().hung_ns)
Make = Callable[..., SynthesizedSource]


def latents(frame: int, *, unison: bool = False) -> list[NDArray[np.float32]]:
    ws = [np.zeros((2, 4), np.float32) for _ in range(SCREENS)]
    for screen, w in enumerate(ws):
        w[:, :3] = (frame % 256, 0 if unison else screen * 10, 7)
    return ws


def is_gone(pid: int) -> bool:
    """True once the process has ended, reaped by its parent or not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return fields[0] == "Z"


def segments_of(pid: int) -> list[str]:
    return [path.name for path in segment_folder().glob(f"inspace-{pid}-*")]


class Playing:
    """Drives a source as the frame loop would, without its pace."""

    def __init__(self, source: SynthesizedSource) -> None:
        self.source = source
        self.clock = HouseClock()
        self.frame = 0
        self.asked = -1
        self.side_px: int | None = None

    def tick(self) -> Pictures | None:
        while self.asked < self.frame + MAX_LOOKAHEAD_FRAMES:
            self.asked += 1
            self.source.request(self.asked, latents(self.asked), self.side_px)
        self.source.play(self.frame)
        self.source.tend(self.clock.now_ns())
        return self.source.pictures(self.frame)

    def exact(self) -> bool:
        """One tick; moves on once the frame itself is there, and checks its colours."""
        shown = self.tick()
        if shown is None or shown.frame != self.frame:
            return False
        for screen, picture in enumerate(shown.picture_of_screen):
            colour = shown.pixels[picture, 0, 0]
            assert colour.tolist() == [self.frame % 256, screen * 10, 7, 255]
        self.frame += 1
        return True

    def play(self, frames: int, *, seconds: float = 10.0) -> bool:
        goal = self.frame + frames
        return wait_for(lambda: self.exact() and self.frame >= goal, seconds=seconds)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    sources: list[SynthesizedSource] = []

    def open_source(limits: Limits = QUICK, **args: object) -> SynthesizedSource:
        source = SynthesizedSource(
            GEOMETRY,
            factory="tests.fake_engine:open_engine",
            factory_args={"command_file": str(tmp_path / "command"), **args},
            limits=limits,
        )
        sources.append(source)
        source.start()
        return source

    yield open_source
    for source in sources:
        source.close()
    assert segments_of(os.getpid()) == []


@pytest.mark.alone
def test_plays_exact_frames_and_leaves_nothing(make: Make) -> None:
    source = make()
    assert source.status().state == "starting"
    playing = Playing(source)
    assert playing.play(40)
    status = source.status()
    assert (status.state, status.engine, status.restarts) == ("ready", "fake engine", 0)
    assert 0 < status.engine_ms_per_picture < 50
    assert segments_of(os.getpid()) == [], "the name goes once the worker has attached"
    pid = source.worker_pid
    before_ns = playing.clock.now_ns()
    source.close()
    assert playing.clock.now_ns() - before_ns < 1_000_000_000
    assert is_gone(pid)
    source.close()


def test_serial_changes_with_the_pixels_alone(make: Make) -> None:
    source = make()
    playing = Playing(source)
    assert playing.play(3)
    first, again = source.pictures(2), source.pictures(2)
    assert first is not None and again is first
    assert wait_for(lambda: (new := source.pictures(3)) is not None and new.frame == 3)
    newer = source.pictures(3)
    assert newer is not None and newer.serial == first.serial + 1
    with pytest.raises(ValueError, match="read-only"):
        newer.pixels[0] = 0


def test_two_frames_in_turn_are_fetched_once_each(make: Make) -> None:
    source = make()
    playing = Playing(source)
    assert playing.play(1)
    for frame in (3, 6):
        assert wait_for(lambda frame=frame: (p := source.pictures(frame)) and p.frame == frame)
    one, other = source.pictures(3), source.pictures(6)
    for _ in range(5):
        assert source.pictures(3) is one and source.pictures(6) is other


def test_a_fetch_is_whole_until_the_third_after_it() -> None:
    held = HeldPictures(GEOMETRY)
    fetched = []
    for number in range(1, 10):
        held.free[:] = number
        info = PictureInfo(1, number, number, SCREENS, 1, (0, 1, 2))
        fetched.append(held.add(info))
        held.free[:] = 255  # as a fetch in vain would leave it
        assert held.best(number) is fetched[-1] and held.best(0) is None
        for age, pictures in enumerate(reversed(fetched[-3:])):
            assert (pictures.pixels == number - age).all()
    assert [pictures.serial for pictures in fetched] == list(range(1, 10))


def test_a_newer_version_of_a_frame_takes_the_place_of_the_older() -> None:
    held = HeldPictures(GEOMETRY)
    versions = [held.add(PictureInfo(1, 5, sequence, 3, 1, (0, 1, 2))) for sequence in (4, 9)]
    assert held.best(5) is versions[1] and held.newest(5) == (5, 9)


def test_pictures_come_in_the_side_asked_for(make: Make) -> None:
    source = make()
    playing = Playing(source)
    playing.side_px = 4
    assert playing.play(3)
    small = source.pictures(playing.frame - 1)
    assert small is not None and small.pixels.shape == (SCREENS, 4, 4, 4)
    playing.frame, playing.side_px = playing.asked + 1, 8
    assert playing.play(3)
    full = source.pictures(playing.frame - 1)
    assert full is not None and full.pixels.shape == (SCREENS, 8, 8, 4)


@pytest.mark.parametrize("side_px", [-4, 16, 1 << 40])
def test_a_side_that_does_not_fit_is_refused(side_px: int) -> None:
    with pytest.raises(ValueError, match="8 x 8 is full"):
        SynthesizedSource(GEOMETRY).request(0, latents(0), side_px)


@pytest.mark.alone
def test_the_usual_time_of_a_request_is_told(make: Make) -> None:
    source = make(render_s=0.01)
    assert source.status().render_ms == 0.0
    assert Playing(source).play(10)
    assert 10 <= source.status().render_ms < 100


def test_a_role_names_source_worker_and_environment(caplog: pytest.LogCaptureFixture) -> None:
    source = SynthesizedSource(
        GEOMETRY, factory="tests.fake_engine:none", limits=QUICK, role="film"
    )
    try:
        assert source.name == "film"
        source.start()
        environment = Path(f"/proc/{source.worker_pid}/environ")
        # until it has been executed it has none
        assert wait_for(lambda: b"INSPACE_ROLE=film" in environment.read_bytes().split(b"\0"))
        os.kill(source.worker_pid, signal.SIGKILL)
        assert wait_for(lambda: source.tend(HouseClock().now_ns()) or bool(source._fault))
        assert "The film worker was ended by SIGKILL. The next film worker" in caplog.text
    finally:
        source.close()


def test_the_newest_older_picture_stands_in(make: Make) -> None:
    source = make()
    playing = Playing(source)
    assert playing.play(5)
    assert wait_for(lambda: source.pictures(5 + 100) is not None)
    shown = source.pictures(5 + 100)
    assert shown is not None and shown.frame < 105


def test_screens_in_unison_share_one_picture(make: Make) -> None:
    source = make()
    clock = HouseClock()
    source.request(0, latents(0, unison=True))

    def shown() -> bool:
        source.tend(clock.now_ns())
        return source.pictures(0) is not None

    assert wait_for(shown)
    pictures = source.pictures(0)
    assert pictures is not None
    assert pictures.pixels.shape == (1, 8, 8, 4) and pictures.picture_of_screen == (0, 0, 0)


def test_requests_before_the_engine_is_ready_are_not_lost(make: Make) -> None:
    source = make(load_s=0.3)
    assert Playing(source).play(10)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("crash", "SIGABRT"),
        ("exit", "status 7"),
        ("raise", "the fake device is lost"),
        ("nan", "its pictures are not made of finite numbers (FloatingPointError)"),
        ("oom", "memory ran out (MemoryError). Close other programs"),
        ("constant", "picture 1 has one colour all over (9, 9, 9)"),
        ("nothing", "picture 1 has one colour all over (0, 0, 0)"),
        ("hang", "no sign of life"),
        ("spin", "no sign of life"),
    ],
)
def test_recovers_from_an_engine_that(command: str, words: str, make: Make, tmp_path: Path) -> None:
    source = make(WATCHFUL if "sign of life" in words else QUICK)
    playing = Playing(source)
    assert playing.play(5)
    pid = source.worker_pid
    (tmp_path / "command").write_text(command)
    assert wait_for(lambda: playing.exact() and source.status().restarts == 1)
    assert playing.play(20)
    status = source.status()
    assert words in status.detail
    assert status.state == "ready"
    assert is_gone(pid) and source.worker_pid != pid


@pytest.mark.parametrize(("healthy_ns", "pauses"), [(0, [20, 20, 20]), (10**12, [20, 40, 80])])
def test_a_worker_that_did_well_for_long_is_soon_replaced(
    healthy_ns: int, pauses: list[int], make: Make
) -> None:
    source = make(replace(QUICK, healthy_ns=healthy_ns))
    playing = Playing(source)
    assert playing.play(5)
    for restart, pause_ms in enumerate(pauses, start=1):
        os.kill(source.worker_pid, signal.SIGKILL)
        assert wait_for(lambda n=restart: playing.exact() and source.status().restarts == n)
        assert source._pause_ns == pause_ms * 1_000_000


def test_a_sequence_that_stands_still_is_given_up(make: Make, tmp_path: Path) -> None:
    source = make()
    playing = Playing(source)
    assert playing.play(5)
    (tmp_path / "command").write_text("stale")

    def restarted() -> bool:
        shown = playing.tick()
        playing.frame += shown is not None and shown.frame == playing.frame
        return source.status().restarts == 1 and source.status().state == "ready"

    assert wait_for(restarted)
    assert "clearly different requests gave one picture" in source.status().detail
    assert playing.play(20), "the new one makes the right colours"


def test_without_checks_a_constant_picture_is_shown(tmp_path: Path) -> None:
    source = SynthesizedSource(
        GEOMETRY,
        factory="tests.fake_engine:open_engine",
        factory_args={"command_file": str(tmp_path / "command")},
        limits=QUICK,
        checks=False,
    )
    source.start()
    try:
        playing = Playing(source)
        assert playing.play(2)
        (tmp_path / "command").write_text("constant")

        def is_constant() -> bool:
            shown = playing.tick()
            if shown is None:
                return False
            playing.frame = max(playing.frame, shown.frame + 1)
            return bool((shown.pixels == 9).all())

        assert wait_for(is_constant)
        assert source.status().restarts == 0
    finally:
        source.close()


def test_an_engine_that_is_slow_to_end_keeps_its_own_last_words(make: Make) -> None:
    source = make()
    assert Playing(source).play(1)
    source._ending_because = "It gave no sign of life."
    assert source.status().detail == "It gave no sign of life."
    assert source._ring is not None
    put_text(source._ring._bytes[FAULT], "The engine could not be opened: it is not there.")
    assert source.status().detail == "The engine could not be opened: it is not there."


def test_a_generator_that_does_not_fit_the_show_is_a_sentence(make: Make) -> None:
    source = make(num_ws=14)
    clock = HouseClock()
    assert wait_for(lambda: source.tend(clock.now_ns()) or source.status().restarts == 2)
    detail = source.status().detail
    assert "the generator is one of 14 x 4 numbers and pictures of 8 x 8 px" in detail
    assert "opened with one of 2 x 4 numbers" in detail


def test_early_sides_are_found_while_playing_and_outlive_the_worker(make: Make) -> None:
    source = make(early=True)
    playing = Playing(source)
    assert playing.play(1)
    assert playing.play(100) and source.status().early_sides_px == (4,)
    os.kill(source.worker_pid, signal.SIGKILL)
    assert wait_for(lambda: playing.exact() and source.status().restarts == 1)
    assert source.status().early_sides_px == (4,)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def mapped_bytes() -> int:
    """Address space of this process that is mapped."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_twenty_kills_leave_no_memory_and_no_descriptor_behind(make: Make) -> None:
    source = make()
    playing = Playing(source)

    def killed(times: int) -> tuple[int, int, int]:
        for _ in range(times):
            restarts = source.status().restarts
            os.kill(source.worker_pid, signal.SIGKILL)
            assert wait_for(
                lambda count=restarts: playing.exact() and source.status().restarts > count
            )
        return mapped_bytes(), open_files(), len(segments_of(os.getpid()))

    assert playing.play(5)
    before, after = killed(3), killed(20)
    assert after[1:] == before[1:] and after[2] == 0
    ring = ring_bytes(GEOMETRY)
    assert after[0] - before[0] < 4 * ring, "a ring kept for each kill would be 20 of them"


def test_the_last_good_picture_outlives_its_worker(make: Make, tmp_path: Path) -> None:
    source = make(Limits(first_pause_ns=60_000_000_000, longest_pause_ns=60_000_000_000))
    playing = Playing(source)
    assert playing.play(5)
    (tmp_path / "command").write_text("crash")
    assert wait_for(lambda: not playing.exact() and source.status().state == "failed")
    kept = source.pictures(playing.frame + 50)
    assert kept is not None and kept.pixels[0, 0, 0, 0] == kept.frame
    playing.tick()
    assert "next start is in" in source.status().detail


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_recovers_from_a_signal(how: signal.Signals, make: Make) -> None:
    source = make(WATCHFUL)
    playing = Playing(source)
    assert playing.play(5)
    pid = source.worker_pid
    os.kill(pid, how)
    assert wait_for(lambda: playing.exact() and source.status().restarts == 1)
    assert is_gone(pid), "the old one is dead before the new one starts"
    assert playing.play(20)


def test_a_paused_show_gets_its_picture_again_after_a_crash(make: Make) -> None:
    source = make()
    playing = Playing(source)
    assert playing.play(5)
    os.kill(source.worker_pid, signal.SIGKILL)

    def restarted() -> bool:
        source.tend(playing.clock.now_ns())
        return source.status().restarts == 1 and source.status().state == "ready"

    assert wait_for(restarted)
    for frame in range(5, 5 + MAX_LOOKAHEAD_FRAMES):  # asked for before the crash, not again
        assert wait_for(lambda frame=frame: (p := source.pictures(frame)) and p.frame == frame)


def test_a_worker_stopped_for_good_is_closed_within_a_second(make: Make) -> None:
    source = make()
    playing = Playing(source)
    assert playing.play(3)
    pid = source.worker_pid
    os.kill(pid, signal.SIGSTOP)
    before_ns = playing.clock.now_ns()
    source.close()
    assert playing.clock.now_ns() - before_ns < 1_000_000_000
    assert is_gone(pid)


def test_a_slow_picture_is_no_hang(make: Make, tmp_path: Path) -> None:
    source = make(WATCHFUL)
    playing = Playing(source)
    assert playing.play(5)
    (tmp_path / "command").write_text("sleep")
    assert playing.play(20)
    assert source.status().restarts == 0


def test_a_failed_load_reaches_the_operator_as_a_sentence(make: Make) -> None:
    source = make(fault="generator.safetensors is not there: publish a generator first")
    clock = HouseClock()
    pauses = set()

    def failed_thrice() -> bool:
        source.tend(clock.now_ns())
        pauses.add(source._pause_ns)
        return source.status().restarts == 3

    assert wait_for(failed_thrice, seconds=20)
    assert pauses >= {20_000_000, 40_000_000, 80_000_000}
    status = source.status()
    assert "The engine could not be opened: generator.safetensors is not there" in status.detail
    assert source.pictures(0) is None


def test_an_unknown_factory_is_named() -> None:
    source = SynthesizedSource(GEOMETRY, factory="tests.fake_engine:nothing", limits=QUICK)
    clock = HouseClock()
    try:
        source.start()
        assert wait_for(
            lambda: source.tend(clock.now_ns()) or "tests.fake_engine:nothing" in source._fault
        )
    finally:
        source.close()


def test_close_before_the_worker_has_attached_leaves_nothing(make: Make) -> None:
    source = make()
    pid = source.worker_pid
    source.close()
    assert is_gone(pid) and segments_of(os.getpid()) == []


def test_ctrl_c_and_terminal_signals_do_not_reach_the_worker(make: Make) -> None:
    source = make()
    playing = Playing(source)
    assert playing.play(3)
    assert os.getsid(source.worker_pid) == source.worker_pid
    os.kill(source.worker_pid, signal.SIGINT)
    assert playing.play(20)
    assert source.status().restarts == 0


ORPHAN = """
import sys
from player.clock import HouseClock
from player.live.ring_layout import Geometry
from player.live.synthesized_source import SynthesizedSource
source = SynthesizedSource(Geometry(3, 2, 4, 8, 8), factory="tests.fake_engine:open_engine")
source.start()
clock = HouseClock()
while source.status().state != "ready":
    source.tend(clock.now_ns())
source.tend(clock.now_ns())
print(source.worker_pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_a_killed_player_takes_its_worker_and_memory_along(stopped: bool) -> None:
    player = subprocess.Popen(
        [sys.executable, "-c", ORPHAN],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert player.stdout is not None and player.stdin is not None
    line = wait_for_line(player.stdout)
    worker_pid = int(line or 0)
    try:
        assert line, "its engine never became ready"
        if stopped:
            os.kill(worker_pid, signal.SIGSTOP)
        player.kill()
        player.wait()
        assert wait_for(lambda: is_gone(worker_pid), seconds=2)
        assert segments_of(player.pid) == []
    finally:
        player.kill()
        player.stdout.close()
        player.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            if worker_pid:
                os.kill(worker_pid, signal.SIGKILL)


def wait_for_line(stream: IO[str], seconds: float = 60.0) -> str:
    """The next line, empty if it does not come in time."""
    ready, _, _ = select.select([stream], [], [], seconds)
    return stream.readline() if ready else ""


def test_distinct_latents_compares_bits() -> None:
    zero, minus = np.zeros((2, 4), np.float32), np.full((2, 4), -0.0, np.float32)
    one = np.ones((2, 4), np.float32)
    distinct, of_screen = distinct_latents([zero, one, zero.copy(), minus])
    assert of_screen == (0, 1, 0, 2) and distinct.shape == (3, 2, 4)
    assert (distinct[1] == 1).all()


def test_latents_of_another_shape_are_refused() -> None:
    source = SynthesizedSource(GEOMETRY)
    with pytest.raises(ValueError, match="asked for"):
        source.request(0, latents(0)[:2])
    with pytest.raises(ValueError, match="asked for"):
        source.request(0, [np.zeros((3, 4), np.float32)] * SCREENS)


def test_worker_environment_yields_to_the_operators() -> None:
    mine = worker_environment({"OMP_WAIT_POLICY": "ACTIVE", "PYTHONPATH": "elsewhere"})
    assert mine["OMP_WAIT_POLICY"] == "ACTIVE"
    assert mine["MALLOC_MMAP_MAX_"] == WORKER_ENVIRONMENT["MALLOC_MMAP_MAX_"]
    assert mine["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "elsewhere"]


def test_worker_config_goes_through_one_line() -> None:
    config = WorkerConfig("name", 2, GEOMETRY, 1, True, "a:b", {"threads": 2})
    line = config.to_json()
    assert line.count(b"\n") == 1 and WorkerConfig.from_json(line) == config
    with pytest.raises(WorkerError, match="cannot be handed"):
        WorkerConfig("name", 2, GEOMETRY, 1, True, "a:b", {"path": Path("x")}).to_json()


def test_exit_words() -> None:
    assert exit_words(3) == "ended with status 3"
    assert exit_words(-9) == "was ended by SIGKILL"
    assert exit_words(-250) == "was ended by signal 250"
