from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shows.latent_set import LatentSet
from shows.schema import Ballad, Painting, Screen, ShowError, ShowSettings
from shows.show import Show
from shows.timeline import (
    MAX_CUES,
    Cue,
    Position,
    add_cue,
    latents_at,
    opening_cues,
    position_at,
)

REPOSITORY = Path(__file__).parent.parent


def latents(ballad_id: str, ws: list[float], noise: Any, w_avg: float = 0.0) -> LatentSet:
    """w_dim 1, num_ws 2. noise: [noise_cycles, P, stops] or what broadcasts to it."""
    shape = (2, len(ws), 7)
    return LatentSet(
        ballad_id=ballad_id,
        painting_ids=tuple(f"p{index}" for index in range(len(ws))),
        ws=np.array(ws, np.float32)[:, None, None],
        num_ws=2,
        w_avg=np.array([w_avg], np.float32),
        loop_noise=np.broadcast_to(np.asarray(noise, np.float32), shape)[..., None],
        generator_hash="ab12",
        provenance=tuple({} for _ in ws),
    )


def make_show(sets: list[LatentSet], **changes: Any) -> Show:
    values: dict[str, Any] = {
        "schema_version": 1,
        "title": "Show",
        "ballads": [one.ballad_id for one in sets],
        "screens": [{"name": one.ballad_id, "ballad": one.ballad_id} for one in sets],
        "noise_strength": 0.5,
        **changes,
    }
    ballads = tuple(
        Ballad(
            id=one.ballad_id,
            title=one.ballad_id,
            paintings=tuple(
                Painting(id=painting_id, line="x", file="x.png") for painting_id in one.painting_ids
            ),
        )
        for one in sets
    )
    return Show(
        Path("nowhere"),
        ShowSettings.model_validate(values),
        ballads,
        MappingProxyType({one.ballad_id: one for one in sets}),
    )


# Paintings at 0, 100, 200, 300, 400; every stop of painting p adds noise p + 1, half of it at
# strength 0.5: stop k of painting p is 100 p + k (p + 1) / 2.
RAMP = [[p + 1.0] * 7 for p in range(5)]
RAMP_SHOW = make_show([latents("a", [0, 100, 200, 300, 400], RAMP)])

HAND_TABLE = [
    (0, 0.0),
    (15, 0.25),  # half way to stop 1
    (29, 0.5 * 29 / 30),
    (30, 0.5),
    (31, 0.5 + 0.5 / 30),
    (209, 3.0 + 0.5 * 29 / 30),
    (210, 3.5),  # stop 7; the morph begins
    (285, 51.75),  # half way from 3.5 to 100
    (359, 3.5 / 150 + 100 * 149 / 150),
    (360, 100.0),
    (390, 101.0),
    (1799, 417.5 / 150),  # from 400 + 7 * 2.5, 149 / 150 of the way to 0
    (1800, 0.0),
    (1830, 0.5),
]


def value(show: Show, frame: int, cues: tuple[Cue, ...] = (Cue("a", 0, 0),)) -> float:
    ws = latents_at(show, (cues,), 0, frame)
    assert ws.dtype == np.float32 and (ws == ws[0]).all()
    return float(ws[0, 0])


@pytest.mark.parametrize(("frame", "expected"), HAND_TABLE)
def test_the_hand_computed_table(frame: int, expected: float) -> None:
    assert value(RAMP_SHOW, frame) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("frame", [0, 360, 720, 1080, 1440, 1800, 3600])
def test_paintings_are_met_exactly(frame: int) -> None:
    assert value(RAMP_SHOW, frame) == frame % 1800 / 360 * 100


def test_every_stop_is_met_exactly() -> None:
    for stop in range(8):
        assert value(RAMP_SHOW, 360 + 30 * stop) == 100 + stop


def test_random_access_equals_walking_there(tiny_show: Show) -> None:
    cues = opening_cues(tiny_show)
    walked = [latents_at(tiny_show, cues, 3, frame).tobytes() for frame in range(1801)]
    for frame in (1800, 359, 0, 1799, 210, 29, 360, 30, 209):
        assert latents_at(tiny_show, cues, 3, frame).tobytes() == walked[frame]
    assert walked[0] == walked[1800]


def test_noise_differs_by_cycle_and_repeats_after_noise_cycles() -> None:
    noise = np.stack([np.full((5, 7), 1.0), np.full((5, 7), 3.0)])
    one = latents("a", [0, 100, 200, 300, 400], noise)
    frames = (30, 1830, 3630, 5430)
    assert [value(make_show([one], noise_cycles=2), frame) for frame in frames] == [
        0.5,
        1.5,
        0.5,
        1.5,
    ]
    assert [value(make_show([one], noise_cycles=1), frame) for frame in frames] == [0.5] * 4


def test_smoothstep_eases_morphs_and_leaves_the_loop_linear() -> None:
    show = make_show([latents("a", [0, 100], 0.0), latents("b", [7, 7], 1.0)], easing="smoothstep")
    t = 30 / 150
    assert value(show, 210 + 30) == pytest.approx(100 * (3 * t**2 - 2 * t**3))
    assert value(show, 360) == 100
    assert value(show, 15, (Cue("b", 0, 0),)) == 7.25


def test_truncation_comes_last() -> None:
    one = latents("a", [0, 100], 0.0, w_avg=10.0)
    assert value(make_show([one], truncation_psi=0.5), 285) == 30  # 10 + (50 - 10) / 2
    assert value(make_show([one], truncation_psi=0.0), 285) == 10


def test_truncation_between_two_averages_is_continuous() -> None:
    show = make_show(
        [latents("a", [0, 0], 0.0, w_avg=10.0), latents("b", [0, 0], 0.0, w_avg=20.0)],
        truncation_psi=0.0,
    )
    cues = (Cue("a", 0, 0), Cue("b", 100, 10))
    assert [value(show, frame, cues) for frame in (100, 105, 110)] == [10, 15, 20]


def test_no_morph_frames_is_a_cut() -> None:
    show = make_show([latents("a", [0, 100], 0.0)], morph_frames=0)
    assert [value(show, frame) for frame in (209, 210, 419, 420)] == [0, 100, 100, 0]


TWO_BALLADS = make_show([latents("a", [0, 0], 0.0), latents("b", [90, 100], RAMP[0])])


@pytest.mark.parametrize(
    ("frame", "expected"),
    [(999, 0), (1000, 0), (1075, 45), (1149, 90 * 149 / 150), (1150, 90), (1180, 90.5)],
)
def test_a_change_of_ballad(frame: int, expected: float) -> None:
    """It arrives on the first painting and counts from there."""
    cues = (Cue("a", 0, 0), Cue("b", 1000, 150))
    assert value(TWO_BALLADS, frame, cues) == pytest.approx(expected, rel=1e-6)


def test_a_chain_of_three_by_hand() -> None:
    cues = (Cue("a", 0, 0), Cue("b", 100, 100), Cue("a", 150, 100))
    # at 175: b is at t = 0.75 (67.5), then a at t = 0.25.
    assert value(TWO_BALLADS, 175, cues) == pytest.approx(67.5 * 0.75)


def test_offset_frames_count_from_there() -> None:
    cues = (Cue("a", 0, 0), Cue("b", 100, 10, offset_frames=30))
    assert value(TWO_BALLADS, 110, cues) == 90.5
    assert value(TWO_BALLADS, 140, cues) == 91


def test_unison_is_the_same_bytes(tiny_show: Show) -> None:
    cues = tuple(add_cue(one, Cue("ballad-3", 500, 150), 500) for one in opening_cues(tiny_show))
    for frame in (650, 651, 900, 3333):
        assert len({latents_at(tiny_show, cues, s, frame).tobytes() for s in range(7)}) == 1
    assert len({latents_at(tiny_show, cues, s, 649).tobytes() for s in range(7)}) == 7


def test_frames_and_sizes_beyond_float32(tiny_show: Show) -> None:
    cues = opening_cues(tiny_show)
    far = 1800 * 10**15
    for frame in (0, 77, 300):
        np.testing.assert_array_equal(
            latents_at(tiny_show, cues, 0, far + frame), latents_at(tiny_show, cues, 0, frame)
        )


def test_own_ws_for_every_layer() -> None:
    one = latents("a", [0, 100], 0.0)
    ws = np.array([[[0], [1]], [[100], [200]]], np.float32)
    show = make_show([replace(one, ws=ws)])
    assert latents_at(show, ((Cue("a", 0, 0),),), 0, 285).tolist() == [[50], [100.5]]


def test_a_show_without_latents_says_so() -> None:
    show = replace(TWO_BALLADS, latents=MappingProxyType({}))
    with pytest.raises(ShowError, match="no latents for 'a'; project and publish"):
        latents_at(show, ((Cue("a", 0, 0),),), 0, 0)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (0, Position("a", 0, 0, False, 0, 0)),
        (29, Position("a", 0, 0, False, 29, 29)),
        (30, Position("a", 0, 1, False, 30, 30)),
        (209, Position("a", 0, 6, False, 209, 209)),
        (210, Position("a", 0, 7, True, 210, 210)),
        (359, Position("a", 0, 7, True, 359, 359)),
        (360, Position("a", 1, 0, False, 360, 360)),
        (1800, Position("a", 0, 0, False, 1800, 0)),
    ],
)
def test_positions(frame: int, expected: Position) -> None:
    assert position_at(RAMP_SHOW, (Cue("a", 0, 0),), frame) == expected


def test_position_is_of_the_newest_cue_that_has_started() -> None:
    cues = (Cue("a", 0, 0), Cue("b", 1000, 150))
    assert position_at(TWO_BALLADS, cues, 999).ballad_id == "a"
    assert position_at(TWO_BALLADS, cues, 1000) == Position("b", 0, 0, True, 0, 0)
    assert position_at(TWO_BALLADS, cues, 1180) == Position("b", 0, 1, False, 30, 30)
    assert position_at(TWO_BALLADS, (Cue("b", 50, 10),), 0) == Position("b", 0, 0, False, 0, 0)


def test_covered_cues_are_dropped() -> None:
    cues = (Cue("a", 0, 0), Cue("b", 100, 50), Cue("a", 120, 50))
    assert add_cue(cues, Cue("b", 149, 10), 149)[:-1] == cues
    assert add_cue(cues, Cue("b", 150, 10), 150)[:-1] == cues[1:]
    assert add_cue(cues, Cue("b", 169, 10), 169)[:-1] == cues[1:]
    assert add_cue(cues, Cue("b", 170, 10), 170)[:-1] == cues[2:]


def test_a_cue_in_the_past_or_of_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="before frame 10"):
        add_cue((Cue("a", 0, 0),), Cue("b", 9, 150), 10)
    with pytest.raises(ValueError, match="-1 frames"):
        Cue("a", 0, -1)


def test_the_last_of_many_commands_wins() -> None:
    cues: tuple[Cue, ...] = (Cue("a", 0, 0),)
    for frame in range(100, 120):
        cues = add_cue(cues, Cue("b" if frame % 2 else "a", frame, 150), frame)
        assert len(cues) <= MAX_CUES
    # Cues from 100 to 105 run, and the last, of frame 119, waits for the first of them to end.
    assert cues[-1] == Cue("b", 250, 150)
    assert value(TWO_BALLADS, 400, cues) == 90


COMMANDS = st.lists(
    st.tuples(
        st.integers(0, 60),  # frames since the command before
        st.integers(0, 6),  # ballad
        st.sampled_from([1, 20, 150]),  # morph frames
        st.integers(0, 10),  # frames from the first free one to the start
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(COMMANDS)
def test_nothing_jumps_when_a_cue_is_added(commands: list[tuple[int, int, int, int]]) -> None:
    show = SEVEN_BALLADS
    cues: tuple[Cue, ...] = (Cue("b0", 0, 0),)
    frame = 0
    for gap, ballad, morph_frames, delay in commands:
        frame += gap
        before = cues
        cue = Cue(f"b{ballad}", frame + delay, morph_frames)
        cues = add_cue(before, cue, frame)
        assert 1 <= len(cues) <= MAX_CUES
        assert cues[-1].ballad_id == cue.ballad_id and cues[-1].start_frame >= cue.start_frame
        # Up to the new cue's start, or that of one it took the place of, nothing has changed.
        end = min([cues[-1].start_frame, *(c.start_frame for c in before if c not in cues[:-1]
                   and c.start_frame >= frame)])  # fmt: skip
        for same in {frame, (frame + end) // 2, end}:
            np.testing.assert_array_equal(
                latents_at(show, (before,), 0, same), latents_at(show, (cues,), 0, same)
            )
        last = max(one.end_frame for one in cues)
        assert position_at(show, cues, last).ballad_id == cue.ballad_id


SEVEN_BALLADS = make_show(
    [latents(f"b{n}", [n * 10.0, n * 10.0 + 5], 0.25) for n in range(7)], truncation_psi=0.7
)

CYCLE_HASH = """
import hashlib, sys
from pathlib import Path
from shows.show_file import load_show
from shows.timeline import Cue, latents_at, opening_cues
show = load_show(Path(sys.argv[1]))
cues = tuple((*one, Cue("ballad-2", 700, 150)) for one in opening_cues(show))
digest = hashlib.sha256()
for frame in range(0, 1801, 3):
    digest.update(latents_at(show, cues, frame % 7, frame).tobytes())
print(digest.hexdigest())
"""


def run_python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_another_process_computes_the_same_bits(tiny_show: Show) -> None:
    cues = tuple((*one, Cue("ballad-2", 700, 150)) for one in opening_cues(tiny_show))
    digest = hashlib.sha256()
    for frame in range(0, 1801, 3):
        digest.update(latents_at(tiny_show, cues, frame % 7, frame).tobytes())
    assert run_python(CYCLE_HASH, str(tiny_show.folder)) == digest.hexdigest()


def test_the_timeline_loads_no_torch_no_window_system_and_no_pictures() -> None:
    code = "import sys, shows.timeline, shows.show_file; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in run_python(code).split()}
    assert "numpy" in loaded
    assert not loaded & {
        "torch",
        "moderngl",
        "glfw",
        "PIL",
        "pythonosc",
        "av",
        "player",
        "training",
    }


def test_screens_are_read_from_the_left() -> None:
    screens = (Screen(name="l", ballad="b"), Screen(name="r", ballad="a"))
    show = replace(
        TWO_BALLADS, settings=TWO_BALLADS.settings.model_copy(update={"screens": screens})
    )
    assert opening_cues(show) == ((Cue("b", 0, 0),), (Cue("a", 0, 0),))
    assert latents_at(show, opening_cues(show), 0, 0)[0, 0] == 90
