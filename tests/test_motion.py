"""The smooth path, phases and loop strengths: exact where it must be, without corners between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player import commands
from player.transport import apply_command, opening_transport
from shows.ballad_path import Motion, ballad_w
from shows.fingerprint import ballad_fingerprint, show_fingerprint
from shows.show import Show
from shows.show_file import load_show, save_ballad, save_settings
from shows.timeline import Cue, latents_at, motion_of, opening_cues, phase_frames
from tests.tiny_show import make_tiny_show

CYCLE = 1800


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    return make_tiny_show(tmp_path_factory.mktemp("motion") / "show")


def changed(show: Show, folder: Path, **words: object) -> Show:
    """The same show with other words in show.yaml."""
    made = make_tiny_show(folder / "show")
    save_settings(made.folder, show.settings.model_copy(update=words))
    return load_show(made.folder)


def motion(show: Show, path: str = "smooth", **words: object) -> Motion:
    return replace(motion_of(show, "ballad-1"), path=path, **words)


def walked(show: Show, wanted: Motion, frames: range) -> np.ndarray:
    """[frames, w_dim]"""
    latents = show.latents["ballad-1"]
    return np.stack([ballad_w(latents, wanted, frame)[0] for frame in frames])


def test_the_curve_passes_through_every_painting_and_every_stop(show: Show) -> None:
    latents = show.latents["ballad-1"]
    for painting in range(5):
        for stop in range(8):
            frame = 360 * painting + 30 * stop
            straight = ballad_w(latents, motion(show, "linear"), frame)
            assert (ballad_w(latents, motion(show), frame) == straight).all()
        assert (
            ballad_w(latents, motion(show), 360 * painting)
            == latents.ws[painting].astype(np.float64)
        ).all()


def speeds(path: np.ndarray) -> np.ndarray:
    return np.diff(path, axis=0)


def test_the_velocity_has_no_jump_anywhere_the_seam_included(show: Show) -> None:
    frames = range(CYCLE - 200, 2 * CYCLE + 200)
    bends = np.abs(np.diff(speeds(walked(show, motion(show), frames)), axis=0)).max(axis=1)
    corners = np.abs(np.diff(speeds(walked(show, motion(show, "linear"), frames)), axis=0))
    # on straight lines all of the change comes at once, on the curve it is spread over the segment
    assert bends.max() < 0.25 * corners.max()
    seam = CYCLE - frames.start
    assert bends[seam - 2 : seam + 2].max() <= bends.max()


def test_one_sided_velocities_agree_in_the_limit(show: Show) -> None:
    """With the frames a thousand times finer, the steps before and after a point are the same."""
    fine = motion(show, frames_per_stop=30_000, morph_frames=150_000)
    latents = show.latents["ballad-1"]
    for point in (0, 30_000, 180_000, 210_000, 360_000):
        at = 5 * 360_000 + point
        before, here, after = (ballad_w(latents, fine, at + step)[0] for step in (-1, 0, 1))
        assert after - here == pytest.approx(here - before, rel=1e-2, abs=1e-8)


def test_nothing_stands_still_at_a_stop(show: Show) -> None:
    lengths = np.linalg.norm(speeds(walked(show, motion(show), range(CYCLE))), axis=1)
    straight = np.linalg.norm(speeds(walked(show, motion(show, "linear"), range(CYCLE))), axis=1)
    assert lengths.min() > 0.1 * np.median(straight)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 200), st.integers(0, 10_000))
def test_any_lengths_make_a_path(
    show: Show, stops: int, frames_per_stop: int, morph_frames: int, frame: int
) -> None:
    wanted = motion(
        show, stops=min(stops, 7), frames_per_stop=frames_per_stop, morph_frames=morph_frames
    )
    assert np.isfinite(ballad_w(show.latents["ballad-1"], wanted, frame)).all()


def test_linear_is_what_it_was(show: Show) -> None:
    assert show.settings.path == "linear"
    assert motion_of(show, "ballad-1").path == "linear"


def test_a_change_of_ballad_on_a_smooth_path_starts_and_ends_gently(
    show: Show, tmp_path: Path
) -> None:
    smooth = changed(show, tmp_path, path="smooth")
    cues = ((Cue("ballad-1", 0, 0), Cue("ballad-2", 100, 150)), *opening_cues(smooth)[1:])
    before = latents_at(smooth, cues, 0, 100) - latents_at(smooth, opening_cues(smooth), 0, 100)
    first = latents_at(smooth, cues, 0, 101) - latents_at(smooth, opening_cues(smooth), 0, 101)
    whole = latents_at(smooth, cues, 0, 250) - latents_at(smooth, opening_cues(smooth), 0, 250)
    assert (before == 0).all()
    assert np.abs(first).max() < 0.001 * np.abs(whole).max()


# ---- phases


@pytest.mark.parametrize(
    ("phases", "wanted"),
    [
        ("together", [0] * 7),
        ("wave", [0, 51, 102, 153, 204, 255, 306]),
        ("scattered", [0, 1112, 424, 1537, 849, 162, 1274]),
    ],
)
def test_phases(show: Show, tmp_path: Path, phases: str, wanted: list[int]) -> None:
    made = changed(show, tmp_path, phases=phases)
    assert [phase_frames(made, n, "ballad-1") for n in range(7)] == wanted
    for screen, phase in enumerate(wanted):
        ballad_id = made.settings.screens[screen].ballad
        own = latents_at(made, ((Cue(ballad_id, 0, 0),),), 0, phase + 7)
        assert (latents_at(made, opening_cues(made), screen, 7) == own).all()


def test_a_screens_own_phase_goes_first(show: Show, tmp_path: Path) -> None:
    screens = list(show.settings.screens)
    screens[2] = screens[2].model_copy(update={"phase_frames": 7})
    made = changed(show, tmp_path, phases="wave", screens=tuple(screens))
    assert [phase_frames(made, n, "ballad-1") for n in (1, 2, 3)] == [51, 7, 153]


def test_unison_is_one_place_and_each_its_own(show: Show, tmp_path: Path) -> None:
    made = changed(show, tmp_path, phases="wave")
    transport = opening_transport(made)
    unison = apply_command(made, transport, commands.SetBallad("ballad-3"), 10)
    assert {cues[-1].offset_frames for cues in unison.cues} == {0}
    each = apply_command(made, unison, commands.EachOwn(), 500)
    assert [cues[-1].offset_frames for cues in each.cues] == [51 * n for n in range(7)]


# ---- loop strength


def test_loop_strength_of_painting_goes_before_ballad_before_show(
    show: Show, tmp_path: Path
) -> None:
    made = make_tiny_show(tmp_path / "show")
    ballad = made.ballad("ballad-1")
    paintings = list(ballad.paintings)
    paintings[1] = paintings[1].model_copy(update={"loop_strength": 0.0})
    save_ballad(
        made.folder,
        ballad.model_copy(update={"loop_strength": 0.75, "paintings": tuple(paintings)}),
    )
    made = load_show(made.folder)
    assert motion_of(made, "ballad-1").loop_strengths == (0.75, 0.0, 0.75, 0.75, 0.75)
    assert motion_of(made, "ballad-2").loop_strengths == (made.settings.noise_strength,) * 5
    still = [latents_at(made, opening_cues(made), 0, 360 + n) for n in (0, 100, 210)]
    assert (still[0] == still[1]).all() and (still[0] == still[2]).all()
    assert ballad_fingerprint(made, "ballad-1") != ballad_fingerprint(show, "ballad-1")
    assert ballad_fingerprint(made, "ballad-2") == ballad_fingerprint(show, "ballad-2")


@pytest.mark.parametrize("words", [{"path": "smooth"}, {"phases": "wave"}])
def test_machines_that_move_otherwise_are_told_apart(
    show: Show, tmp_path: Path, words: dict[str, object]
) -> None:
    made = changed(show, tmp_path, **words)
    assert show_fingerprint(made) != show_fingerprint(show)
    same_film = ballad_fingerprint(made, "ballad-1") == ballad_fingerprint(show, "ballad-1")
    assert same_film == ("phases" in words), "a film holds a ballad, whatever its phase"
