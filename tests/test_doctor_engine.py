"""The real engine, measured by the doctor in a process of its own; judges real time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from generator.bench import random_generator
from generator.checkpoint import FORMAT, save_generator
from generator.tensor_file import write_tensor_file
from player.films.film_facts import films_folder
from shows.latent_set import write_latent_set
from shows.show_file import load_show
from tests.doctor_cases import doctor, make_healthy_show
from tests.tiny_networks import random_generator as tiny_generator
from tests.tiny_show import make_tiny_show

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def test_a_small_engine_is_fast_enough_and_all_is_said_in_twenty_seconds(tmp_path: Path) -> None:
    show = make_healthy_show(tmp_path / "show")
    told = doctor(show.folder, home=tmp_path / "home")
    assert told.states()["engine"] == "green", told.checks["engine"]
    assert "the show needs 60" in told.finding("engine")
    assert "cpu 16x16" in told.finding("engine") or "cuda 16x16" in told.finding("engine")
    assert told.seconds < 20


def test_a_large_engine_is_too_slow(tmp_path: Path) -> None:
    """256 px on seven screens at 1000 frames a second, which no machine draws."""
    large = random_generator(256, "cpu")
    folder = tmp_path / "show"
    show = make_tiny_show(folder, w_dim=large.w_dim, num_ws=large.num_ws)
    path = folder / "show.yaml"
    path.write_text(path.read_text().replace("fps: 30", "fps: 1000"))
    content_hash = save_generator(large, show.generator_path)
    for ballad_id, latents in show.latents.items():
        write_latent_set(
            show.latents_path(ballad_id), replace(latents, generator_hash=content_hash)
        )
    load_show(folder)
    told = doctor(folder, home=tmp_path / "home")
    assert told.states()["engine"] == "red", told.checks["engine"]
    assert "There are not films of all ballads" in told.finding("engine")
    assert "smaller generator" in told.checks["engine"]["mend"]
    assert {name for name, state in told.states().items() if state == "red"} == {"engine"}
    assert told.states()["films"] == "amber" and not films_folder(show).exists()
    assert told.seconds < 20


def test_a_generator_that_the_engine_refuses(tmp_path: Path) -> None:
    """One wrong weight is a fault of the file, and told there alone; a file that is whole and of
    another shape than it says is found out by the engine."""
    show = make_healthy_show(tmp_path / "show")
    whole = show.generator_path.read_bytes()
    show.generator_path.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    told = doctor(show.folder, home=tmp_path / "home")
    assert told.states()["generator"] == "red" and told.states()["engine"] == "green"
    assert told.finding("engine") == "Cannot be judged before `generator` is mended."

    network = tiny_generator(resolution=16)
    tensors = dict(list(network.state_dict().items())[:-1])
    config = network.config.to_dict()
    content_hash = write_tensor_file(show.generator_path, FORMAT, config, tensors, torch.float16)
    for ballad_id, latents in load_show(show.folder).latents.items():
        path = show.latents_path(ballad_id)
        write_latent_set(path, replace(latents, generator_hash=content_hash))
    told = doctor(show.folder, home=tmp_path / "home")
    assert told.states()["generator"] == "green" and told.states()["engine"] != "green"
    assert "It cannot be opened" in told.finding("engine")
