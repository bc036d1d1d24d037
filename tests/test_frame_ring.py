"""The shared ring: what is read is whole, what is late is left out, nobody waits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from player.live import shared_segment
from player.live.frame_ring import PlayerRing, WorkerRing, ahead_frames, choose_request, choose_slot
from player.live.ring_layout import (
    HORIZON_FRAMES,
    MAILBOX_SLOTS,
    P_SIDE,
    RING_SLOTS,
    Geometry,
    Request,
    WorkerState,
    pictures_in,
    ring_bytes,
)
from player.live.shared_segment import (
    Segment,
    SegmentError,
    segment_folder,
    segment_name,
    sweep_stale_segments,
)

GEOMETRY = Geometry(screens=3, num_ws=2, w_dim=4, height_px=8, width_px=8)
NOTHING = (-1, 0)


@pytest.fixture
def sides() -> Iterator[tuple[PlayerRing, WorkerRing]]:
    player = PlayerRing.create(segment_name(5), GEOMETRY, 5, playhead=0)
    worker = WorkerRing.attach(player.name, GEOMETRY, 5)
    yield player, worker
    worker.close()
    player.close()


def request(sequence: int, frame: int, pictures: int = 3) -> Request:
    latents = np.full((pictures, 2, 4), float(frame), np.float32)
    return Request(sequence, frame, latents, tuple(screen % pictures for screen in range(3)))


def answer(worker: WorkerRing, *, value: int | None = None) -> Request | None:
    wanted = worker.next_request()
    if wanted is not None:
        slot, pixels = worker.begin(wanted)
        pixels[:] = wanted.frame % 256 if value is None else value
        worker.finish(slot, wanted, render_ns=1000)
    return wanted


def empty_pixels() -> np.ndarray:
    return np.zeros(GEOMETRY.pixels_shape, np.uint8)


def test_request_and_picture_go_round(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    player.post(request(1, 3, pictures=2))
    taken = answer(worker)
    assert taken is not None and taken.frame == 3 and taken.picture_of_screen == (0, 1, 0)
    assert taken.latents.shape == (2, 2, 4) and (taken.latents == 3).all()
    into = empty_pixels()
    info = player.read(3, NOTHING, into)
    assert info is not None
    assert (info.frame, info.count, info.generation, info.request_sequence) == (3, 2, 5, 1)
    assert info.picture_of_screen == (0, 1, 0) and info.render_ns == 1000
    assert (into[:2] == 3).all() and (into[2] == 0).all()
    assert player.facts().pictures == 2 and player.facts().render_ns == 1000


def test_smaller_pictures_go_round_beside_full_ones(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    player.post(request(1, 1))
    player.post(replace(request(2, 2), side_px=4))
    player.post(replace(request(3, 3), side_px=1 << 60))
    assert [answer(worker) for _ in range(3)][2] is None, "a side that cannot be is no request"
    into = empty_pixels()
    info = player.read(2, NOTHING, into)
    assert info is not None and (info.frame, info.side_px, info.count) == (2, 4, 3)
    assert (pictures_in(into, 3, 4) == 2).all() and pictures_in(into, 3, 4).shape == (3, 4, 4, 4)
    assert (into.reshape(-1)[3 * 4 * 4 * 4 :] == 0).all(), "no more is copied than there is"
    full = player.read(1, NOTHING, into)
    assert full is not None and full.side_px == 0 and (into == 1).all()


@pytest.mark.parametrize("side_px", [-4, 8, 1 << 40])
def test_a_label_of_a_side_that_cannot_be_is_not_read(
    sides: tuple[PlayerRing, WorkerRing], side_px: int
) -> None:
    player, worker = sides
    player.post(request(1, 1))
    answer(worker)
    worker._labels[0, P_SIDE] = side_px
    assert player.read(1, NOTHING, empty_pixels()) is None


def test_the_usual_time_is_of_the_present_size(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    for _ in range(100):
        worker.note_render_ns(3000)
    worker.note_render_ns(1000, side_px=4)
    assert player.facts().usual_ns == 1000
    worker.note_render_ns(2000, side_px=4)
    assert player.facts().usual_ns == 1100


def test_early_sides_are_announced(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    assert player.facts().early_sides_px == ()
    worker.announce_early_sides([4, 2])
    assert player.facts().early_sides_px == (4, 2)


def test_geometry_admits_square_pictures_smaller_than_its_own() -> None:
    assert [GEOMETRY.admits(side) for side in (-1, 0, 1, 7, 8, 9)] == [
        *(False, True, True, True, False, False)
    ]
    wide = replace(GEOMETRY, width_px=16)
    assert wide.admits(0) and not wide.admits(4)


def test_the_newest_not_after_the_frame_is_read(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    for frame in (1, 2, 4):
        player.post(request(frame, frame))
        answer(worker)
    into = empty_pixels()
    info = player.read(3, NOTHING, into)
    assert info is not None and info.frame == 2 and (into == 2).all()
    assert player.read(0, NOTHING, into) is None
    assert player.read(3, (2, 2), into) is None, "at hand already"


def test_late_requests_are_skipped_and_far_ones_wait(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    for frame in range(4):
        player.post(request(frame + 1, frame))
    player.post(request(5, 2 + HORIZON_FRAMES))
    player.set_playhead(2)
    made = [answer(worker) for _ in range(3)]
    assert [wanted.frame for wanted in made if wanted is not None] == [2, 3]
    player.set_playhead(3)
    last = answer(worker)
    assert last is not None and last.frame == 2 + HORIZON_FRAMES


def test_posting_never_waits_for_a_worker(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    for frame in range(10 * MAILBOX_SLOTS):
        player.post(request(frame + 1, frame))
    newest = 10 * MAILBOX_SLOTS - 1
    player.set_playhead(newest)
    taken = answer(worker)
    assert taken is not None and taken.frame == newest and answer(worker) is None


def test_a_half_written_picture_is_not_read(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    for frame in range(RING_SLOTS):
        player.post(request(frame + 1, frame))
        answer(worker)
    player.set_playhead(1)
    player.post(request(20, RING_SLOTS))
    wanted = worker.next_request()
    assert wanted is not None
    slot, pixels = worker.begin(wanted)
    pixels[0] = 99
    into = empty_pixels()
    assert player.read_slot(slot, into) is None
    assert player.read(0, NOTHING, into) is None, "frame 0 was in the slot now written to"
    info = player.read(1, NOTHING, into)
    assert info is not None and info.frame == 1
    worker.finish(slot, wanted, 1)
    info = player.read(RING_SLOTS, NOTHING, into)
    assert info is not None and info.frame == RING_SLOTS and (into[0] == 99).all()


def test_a_picture_overwritten_while_it_is_copied_is_refused(
    sides: tuple[PlayerRing, WorkerRing],
) -> None:
    player, worker = sides
    player.post(request(1, 0))
    answer(worker)

    class Interrupting(np.ndarray):
        """Lets the worker begin the same slot again in the middle of the copy."""

        def __setitem__(self, key: object, value: object) -> None:
            super().__setitem__(key, value)
            worker._labels[0, 0] += 1

    into = empty_pixels().view(Interrupting)
    assert player.read_slot(0, into) is None


def test_a_ring_of_another_generation_is_refused() -> None:
    player = PlayerRing.create(segment_name(1), GEOMETRY, 1, playhead=0)
    try:
        with pytest.raises(SegmentError, match="not the ring of this worker"):
            WorkerRing.attach(player.name, GEOMETRY, 2)
    finally:
        player.close()


def test_texts_are_cut_and_cleared(sides: tuple[PlayerRing, WorkerRing]) -> None:
    player, worker = sides
    worker.announce(WorkerState.FAILED, description="d", fault="ä" * 5000)
    assert player.facts().state is WorkerState.FAILED
    assert player.fault().startswith("äää") and len(player.fault()) < 2049
    worker.announce(WorkerState.READY, description="engine")
    assert player.fault() == "" and player.description() == "engine"


@pytest.mark.parametrize(
    ("wanted", "done", "playhead", "expected"),
    [
        ([], set(), 0, None),
        ([(1, 5), (2, 6)], set(), 5, 1),
        ([(1, 5), (2, 6)], set(), 6, 2),
        ([(1, 5), (2, 6)], {1}, 5, 2),
        ([(1, 5), (2, 6)], {1, 2}, 5, None),
        ([(1, 5), (2, 5)], {1}, 5, 2),
        ([(1, 5), (2, 5)], {2}, 5, None),
        ([(2, 9), (3, 8)], set(), 5, 3),
        ([(1, 5 + HORIZON_FRAMES)], set(), 5, None),
    ],
)
def test_choose_request(
    wanted: list[tuple[int, int]], done: set[int], playhead: int, expected: int | None
) -> None:
    assert choose_request(wanted, done, playhead) == expected


def test_a_slow_engine_makes_what_can_be_in_time() -> None:
    wanted = [(frame + 1, frame) for frame in range(8)]
    assert choose_request(wanted, set(), 0, ahead_frames=3) == 4
    assert choose_request(wanted, {4}, 0, ahead_frames=3) == 5
    assert choose_request(wanted, set(), 6, ahead_frames=3) == 7, "late is better than never"


def test_a_render_that_outlasts_frames_leads_to_later_ones(
    sides: tuple[PlayerRing, WorkerRing],
) -> None:
    player, worker = sides
    frame, made = 0, []
    for _ in range(30):
        for ahead in range(7):
            player.post(request(frame * 7 + ahead + 1, frame + ahead))
        wanted = worker.next_request()
        assert wanted is not None
        slot, _ = worker.begin(wanted)
        frame += 3
        player.set_playhead(frame)
        worker.finish(slot, wanted, 1)
        made.append(wanted.frame - frame)
    assert made[0] == -3 and made[-10:] == [1] * 10, "made before its tick from some point on"


@pytest.mark.parametrize(
    ("passed", "ahead"), [(0.0, 0), (0.01, 0), (0.2, 1), (0.6, 2), (1.0, 2), (1.8, 3), (2.2, 3)]
)
def test_ahead_frames(passed: float, ahead: int) -> None:
    assert ahead_frames(passed) == ahead


def test_choose_slot_spares_what_is_still_to_be_shown() -> None:
    full = [(frame, frame + 1) for frame in range(8)]
    assert choose_slot([(0, 0), (0, 0)], 0, 0) == 0
    assert choose_slot(full, 8, 1) == 0
    assert choose_slot(full, 9, 5) == 0, "the longest unused of those passed"
    assert choose_slot(full, 3, 0) == 3, "all to be shown: the same frame again"
    assert choose_slot([(frame + 100, frame + 1) for frame in range(8)], 0, 0) == 0, "a jump back"


WRITER = """
import sys
import numpy as np
from player.live.frame_ring import WorkerRing
from player.live.ring_layout import Geometry, Request
geometry = Geometry(3, 2, 4, 64, 64)
ring = WorkerRing.attach(sys.argv[1], geometry, 1)
latents = np.zeros((3, 2, 4), np.float32)
number = 0
while True:
    number += 1
    wanted = Request(number, 0, latents, (0, 1, 2))
    slot, pixels = ring.begin(wanted)
    pixels[:] = number % 251
    ring.finish(slot, wanted, number % 251)
    ring.beat()
"""


def test_no_torn_picture_from_a_writer_that_never_rests() -> None:
    geometry = Geometry(3, 2, 4, 64, 64)
    player = PlayerRing.create(segment_name(1), geometry, 1, playhead=0)
    root = str(Path(__file__).resolve().parent.parent)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, player.name], cwd=root)
    try:
        into = np.zeros(geometry.pixels_shape, np.uint8)
        whole = 0
        pause = threading.Event()
        for _ in range(500):
            if player.facts().heartbeat:
                break
            pause.wait(0.01)
        for attempt in range(2000):
            info = player.read_slot(attempt % RING_SLOTS, into)
            if info is not None:
                whole += 1
                assert (into == info.render_ns).all(), "torn"
        assert player.facts().heartbeat > 100
        assert whole > 0
    finally:
        writer.kill()
        writer.wait()
        player.close()


def test_segments_leave_no_file_behind() -> None:
    segment = Segment.create(segment_name(1), 8192)
    path = segment_folder() / segment.name
    assert path.exists()
    other = Segment.attach(segment.name, 8192)
    other.close()
    assert path.exists(), "only the creator unlinks"
    segment.unlink()
    assert not path.exists()
    segment.memory[0] = 1
    segment.close()


def test_a_missing_or_short_segment_is_an_error_in_words() -> None:
    with pytest.raises(SegmentError, match="cannot be opened"):
        Segment.attach(segment_name(1), 4096)
    segment = Segment.create(segment_name(1), 4096)
    try:
        with pytest.raises(SegmentError, match="is not 1048576 bytes large"):
            Segment.attach(segment.name, 1 << 20)
        with pytest.raises(SegmentError, match="cannot be created"):
            Segment.create(segment.name, 4096)
    finally:
        segment.close()


def test_no_room_is_an_error_in_words() -> None:
    with pytest.raises(SegmentError, match=r"MB left and the picture ring needs"):
        Segment.create(segment_name(1), 1 << 60)


def test_sweep_takes_the_dead_and_spares_the_living(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_segment, "segment_folder", lambda: tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = f"inspace-{gone.pid}-1-0123abcd"
    living = f"inspace-{os.getpid()}-1-0123abcd"
    foreign = "inspace-notes.txt"
    for name in (dead, living, foreign):
        (tmp_path / name).write_bytes(b"x")
    assert sweep_stale_segments() == (dead,)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([living, foreign])


def test_ring_size_at_1024_pixels() -> None:
    size = ring_bytes(Geometry(7, 18, 512, 1024, 1024))
    assert 8 * 7 * 1024 * 1024 * 4 < size < 250 * 1024 * 1024
