"""`publish`, and the whole chain from paintings to a show that plays what was chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from generator.checkpoint import save_generator
from shows.latent_set import draw_loop_noise, read_latent_set
from shows.show import Show
from shows.show_file import load_show
from shows.timeline import latents_at, opening_cues
from tests.tiny_training import make_curating_show, tiny_generator
from training.__main__ import main
from training.latents.choices_file import choices_path, read_choices
from training.latents.neighbour_sheets import Drawing, neighbour_ws
from training.latents.projection_file import read_projection

torch.set_num_threads(1)


@pytest.fixture
def chosen(tmp_path: Path) -> Show:
    show = make_curating_show(tmp_path / "show")
    assert main(["project", str(show.folder), "--steps", "2"]) == 0
    assert main(["neighbours", str(show.folder), "--auto", "--strength", "0.3"]) == 0
    return show


def publish(show: Show, *words: str) -> int:
    return main(["publish", str(show.folder), *words])


def test_the_whole_chain_plays_what_was_chosen(
    chosen: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["neighbours", str(chosen.folder), "--pick", "p1=42"]) == 0
    assert main(["add-to-show", str(chosen.folder)]) == 0
    assert "The show is whole" in capsys.readouterr().out
    show = load_show(chosen.folder)
    assert show.warnings == ()
    projection = read_projection(show, "ballad-1")
    w = neighbour_ws(projection, 0, Drawing(0.3, 1))[42]
    latents = latents_at(show, opening_cues(show), 0, 0)
    assert latents.shape == (6, 32)
    np.testing.assert_array_equal(latents, np.broadcast_to(w, (6, 32)))
    second = read_choices(show, "ballad-1")["p2"].number
    np.testing.assert_array_equal(
        latents_at(show, opening_cues(show), 0, 360)[0],
        neighbour_ws(projection, 1, Drawing(0.3, 1))[second],
    )


def test_the_latent_set_holds_noise_mean_and_provenance(chosen: Show) -> None:
    assert publish(chosen) == 0
    found = read_latent_set(chosen.latents_path("ballad-1"))
    projection = read_projection(chosen, "ballad-1")
    noise = draw_loop_noise(1, "ballad-1", ("p1", "p2"), 7, 1, projection.w_std)
    np.testing.assert_array_equal(found.loop_noise, noise)
    np.testing.assert_allclose(found.w_avg, tiny_generator().mapping.w_avg, atol=1e-3)
    assert found.ws.shape == (2, 1, 32)
    entry = found.provenance[0]
    choice = read_choices(chosen, "ballad-1")["p1"]
    assert entry["by"] == "auto" and entry["number"] == choice.number
    assert entry["strength"] == 0.3 and entry["seed"] == 1
    assert entry["painting"]["sha256"] == projection.paintings[0]["sha256"]
    assert entry["painting"]["file"] == "paintings/1.png"
    assert entry["projection"]["steps"] == 2
    assert entry["generator"] == found.generator_hash == projection.generator_hash
    before = chosen.latents_path("ballad-1").read_bytes()
    assert publish(chosen) == 0
    assert chosen.latents_path("ballad-1").read_bytes() == before


def refusal(show: Show, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert publish(show) == 2
    assert not show.latents_path("ballad-1").exists()
    return capsys.readouterr().err


def test_it_refuses_without_projection_or_choice(
    chosen: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    path = choices_path(chosen, "ballad-1")
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("  p2:")], encoding="utf-8")
    assert "nothing is chosen for p2" in refusal(chosen, capsys)
    path.unlink()
    assert "nothing is chosen for p1, p2" in refusal(chosen, capsys)
    (chosen.ballad_folder("ballad-1") / "projection.safetensors").unlink()
    assert "projection.safetensors is missing; run" in refusal(chosen, capsys)


def test_it_refuses_what_belongs_to_another_generator_or_projection(
    chosen: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(chosen.folder)
    assert main(["project", folder, "--steps", "3"]) == 0
    assert "was chosen from an earlier projection" in refusal(chosen, capsys)
    save_generator(tiny_generator(seed=9), chosen.generator_path)
    assert "belongs to the generator" in refusal(chosen, capsys)
    assert main(["project", folder, "--steps", "2"]) == 0
    assert "was chosen from the generator" in refusal(chosen, capsys)
    assert main(["neighbours", folder, "--auto"]) == 0
    assert publish(chosen) == 0


def test_it_refuses_when_a_painting_was_changed(
    chosen: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    painting = chosen.painting_path("ballad-1", 0)
    painting.write_bytes(painting.read_bytes() + b" ")
    assert "made before the paintings" in refusal(chosen, capsys)


def test_nothing_is_published_unless_all_is_ready(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show", ballads=2, paintings=1)
    folder = str(show.folder)
    assert main(["project", folder, "--ballad", "1", "--steps", "1"]) == 0
    assert main(["neighbours", folder, "--ballad", "ballad-1", "--auto"]) == 0
    assert "nothing was published" in refusal(show, capsys)
    assert publish(show, "--ballad", "ballad-1") == 0
    assert "Still to be published: ballad-2" in capsys.readouterr().out
