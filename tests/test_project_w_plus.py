"""Projecting into w+, from the painting to what the player draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from shows.show import Show
from shows.show_file import load_show
from shows.timeline import Cue, latents_at, opening_cues
from tests.tiny_training import make_curating_show, tiny_discriminator, tiny_generator
from training.__main__ import main
from training.latents.choices_file import read_choices
from training.latents.neighbour_sheets import chosen_w
from training.latents.perceptual import FeatureDistance, built_in_distance
from training.latents.projection_file import read_projection
from training.latents.projector import ProjectionOptions, project
from training.shown_picture import ShownAs, draw, draw_pixels

torch.set_num_threads(1)
KEYS = [("ballad-1", "p1"), ("ballad-1", "p2")]


@pytest.fixture
def curating(tmp_path: Path) -> Show:
    return make_curating_show(tmp_path / "show")


def layered_pictures() -> Tensor:
    """Pictures whose layers come from different ws: outside of what one w can draw."""
    net = tiny_generator()
    z = torch.from_numpy(np.random.default_rng(7).standard_normal((12, 32))).float()
    ws = net.mapping(z)[:, 0].numpy().reshape(2, 6, 32)
    return draw(net, ws, ShownAs())


def test_w_plus_comes_nearer_to_what_one_w_cannot_draw() -> None:
    distance = built_in_distance([FeatureDistance(tiny_discriminator(), "D")])
    found = {}
    for space in ("w", "w+"):
        options = ProjectionOptions(steps=60, space=space)  # type: ignore[arg-type]
        found[space] = project(
            tiny_generator(), layered_pictures(), distance, options, ShownAs(), KEYS
        )
    assert found["w"].ws.shape == (2, 32) and found["w+"].ws.shape == (2, 6, 32)
    assert (found["w+"].shown < 0.7 * found["w"].shown).all(), found
    assert np.abs(np.diff(found["w+"].ws, axis=1)).max() > 0.01, "the layers go apart"
    np.testing.assert_array_equal(found["w+"].mean_shown, found["w"].mean_shown)


def test_equal_layers_are_drawn_as_one_w() -> None:
    net = tiny_generator()
    ws = np.random.default_rng(0).standard_normal((2, 32)).astype(np.float32)
    layers = np.repeat(ws[:, None], 6, axis=1)
    for shown_as in (ShownAs(), ShownAs("none", 0.6)):
        one, many = draw_pixels(net, ws, shown_as), draw_pixels(net, layers, shown_as)
        np.testing.assert_array_equal(one, many)


def test_the_chain_plays_a_w_for_each_layer(
    curating: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(curating.folder)
    assert main(["project", folder, "--steps", "8", "--space", "w+"]) == 0
    projection = read_projection(curating, "ballad-1")
    assert projection.ws.shape == (2, 6, 32) and projection.settings["space"] == "w+"
    assert main(["neighbours", folder, "--auto", "--strength", "0.2"]) == 0
    assert main(["neighbours", folder, "--pick", "p1=0"]) == 0
    capsys.readouterr()
    assert main(["publish", folder]) == 0
    out = capsys.readouterr().out
    assert "w+: a w for each layer" in out and "The show is whole" in out
    show = load_show(curating.folder)
    assert show.latents["ballad-1"].provenance[0]["projection"]["space"] == "w+"
    cues = opening_cues(show)
    np.testing.assert_array_equal(latents_at(show, cues, 0, 0), projection.ws[0])
    choice = read_choices(show, "ballad-1")["p2"]
    np.testing.assert_array_equal(latents_at(show, cues, 0, 360), chosen_w(projection, 1, choice))
    # the loop's noise is one for all layers
    moved = latents_at(show, cues, 0, 30) - projection.ws[0]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:1], moved.shape), atol=1e-5)
    assert np.abs(moved).max() > 1e-3


def test_a_ballad_of_one_w_and_one_of_many_morph_into_each_other(tmp_path: Path) -> None:
    show = make_curating_show(tmp_path / "show", ballads=2, paintings=1)
    folder = str(show.folder)
    assert main(["project", folder, "--ballad", "1", "--steps", "3", "--space", "w+"]) == 0
    assert main(["project", folder, "--ballad", "2", "--steps", "3"]) == 0
    assert main(["neighbours", folder, "--auto", "--strength", "0"]) == 0
    assert main(["publish", folder]) == 0
    show = load_show(show.folder)
    cues = ((Cue("ballad-1", 0, 0), Cue("ballad-2", 0, 10)),)
    many = read_projection(show, "ballad-1").ws[0].astype(np.float64)
    one = read_projection(show, "ballad-2").ws[0].astype(np.float64)
    halfway = latents_at(show, cues, 0, 5)
    t = 0.5
    there = latents_at(show, ((Cue("ballad-1", 0, 0),),), 0, 5).astype(np.float64)
    assert many.shape == (6, 32) and np.abs(there - many).max() < 1
    np.testing.assert_allclose(halfway, there * (1 - t) + one * t, atol=1e-5)


def test_changing_the_space_projects_anew(
    curating: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["project", str(curating.folder), "--steps", "1"]
    assert main(command) == 0
    assert main([*command, "--space", "w+"]) == 0
    assert "1 ballads projected" in capsys.readouterr().out
    assert main([*command, "--space", "w+"]) == 0
    assert "1 ballads were up to date" in capsys.readouterr().out
