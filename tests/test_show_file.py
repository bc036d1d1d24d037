from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from shows.latent_set import LatentSet, read_latent_set, write_latent_set
from shows.schema import ShowError
from shows.show import Show
from shows.show_file import (
    load_ballad,
    load_settings,
    load_show,
    resolve_ballad,
    save_ballad,
    save_settings,
    upgrade,
)
from tests.tiny_show import TINY_HASH, make_tiny_show, write_fake_generator


def change_yaml(path: Path, **changes: Any) -> None:
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))


def rewrite_latents(path: Path, **changes: Any) -> None:
    old = read_latent_set(path)
    names = LatentSet.__dataclass_fields__
    write_latent_set(path, LatentSet(**{**{n: getattr(old, n) for n in names}, **changes}))


def test_the_tiny_show_loads_without_a_warning(tiny_show: Show) -> None:
    assert tiny_show.warnings == ()
    assert tiny_show.ballad_ids == tuple(f"ballad-{number}" for number in range(1, 8))
    assert tiny_show.segment_frames == 360 and tiny_show.cycle_frames("ballad-1") == 1800
    assert tiny_show.latents["ballad-2"].ws.shape == (5, 1, 8)
    assert tiny_show.painting_path("ballad-7", 4).is_file()


def test_without_latents_neither_they_nor_a_generator_need_exist(tiny_show: Show) -> None:
    tiny_show.generator_path.unlink()
    tiny_show.latents_path("ballad-1").unlink()
    show = load_show(tiny_show.folder, latents=False)
    assert dict(show.latents) == {} and show.warnings == ()
    with pytest.raises(ShowError, match=r"ballad-1/latents.safetensors is missing; project"):
        load_show(tiny_show.folder)


def test_settings_and_ballads_survive_a_round_trip(tiny_show: Show) -> None:
    settings = tiny_show.settings.model_copy(update={"fps": Fraction(30000, 1001)})
    save_settings(tiny_show.folder, settings)
    assert load_settings(tiny_show.folder) == settings
    ballad = tiny_show.ballads[0]
    painting = ballad.paintings[0].model_copy(
        update={"crop": (1, 2, 3, 4), "scene": {"sky": ["mood", 1.5]}, "line": "Càrn mór"}
    )
    ballad = ballad.model_copy(update={"paintings": (painting, *ballad.paintings[1:])})
    save_ballad(tiny_show.folder, ballad)
    assert load_ballad(tiny_show.folder, "ballad-1") == ballad


def test_another_generator_is_a_warning_that_names_both_hashes(tiny_show: Show) -> None:
    write_fake_generator(tiny_show.generator_path, content_hash="f" * 64)
    warnings = load_show(tiny_show.folder).warnings
    assert len(warnings) == 7
    assert "f" * 64 in warnings[0] and TINY_HASH in warnings[0]


def test_a_show_that_names_a_snapshot_plays_what_was_made_of_it(tiny_show: Show) -> None:
    save_settings(
        tiny_show.folder, tiny_show.settings.model_copy(update={"generator": "generator.pkl"})
    )
    made = tiny_show.generator_path
    assert made.name == "generator.safetensors"
    show = load_show(tiny_show.folder)
    assert show.generator_path == made and not show.warnings
    made.rename(tiny_show.folder / "elsewhere")
    (tiny_show.folder / "generator.pkl").write_bytes(b"never looked at")
    (warning,) = load_show(tiny_show.folder).warnings
    assert "run `python -m generator import " in warning and "plays stills" in warning


def test_a_missing_generator_is_a_warning_and_a_misfit_an_error(tiny_show: Show) -> None:
    tiny_show.generator_path.unlink()
    assert "generator.safetensors is missing" in load_show(tiny_show.folder).warnings[0]
    write_fake_generator(tiny_show.generator_path, num_ws=6)
    with pytest.raises(ShowError, match=r"has ws of 4 x 8, and generator.safetensors takes 6 x 8"):
        load_show(tiny_show.folder)


def test_latents_follow_the_ballads_order_of_paintings(tiny_show: Show) -> None:
    ballad = tiny_show.ballads[0]
    save_ballad(
        tiny_show.folder, ballad.model_copy(update={"paintings": ballad.paintings[::-1][:3]})
    )
    latents = load_show(tiny_show.folder).latents["ballad-1"]
    assert latents.painting_ids == ("p5", "p4", "p3")
    assert (latents.ws[0] == tiny_show.latents["ballad-1"].ws[4]).all()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"ballad_id": "ballad-2"},
            "ballad-1/latents.safetensors belongs to the ballad 'ballad-2'",
        ),
        ({"painting_ids": ("p1", "p2", "p3", "p4", "q")}, "latents.safetensors: .*nothing for p5"),
        ({"num_ws": 6}, "publish both from one generator"),
    ],
)
def test_latents_that_do_not_belong(tiny_show: Show, changes: dict[str, Any], fault: str) -> None:
    rewrite_latents(tiny_show.latents_path("ballad-1"), **changes)
    with pytest.raises(ShowError, match=fault):
        load_show(tiny_show.folder)


def test_more_stops_than_were_published(tiny_show: Show) -> None:
    change_yaml(tiny_show.folder / "show.yaml", stops=8)
    with pytest.raises(ShowError, match=r"noise for 7 stops .* asks for 8 stops"):
        load_show(tiny_show.folder)
    change_yaml(tiny_show.folder / "show.yaml", stops=3)
    assert load_show(tiny_show.folder).segment_frames == 240


@pytest.mark.parametrize("file", ["../../../secret.png", "../../../../../etc/passwd"])
def test_a_painting_outside_the_show_is_refused(tiny_show: Show, file: str) -> None:
    path = tiny_show.ballad_folder("ballad-3") / "ballad.yaml"
    change_yaml(path, paintings=[{"id": "p1", "line": "x", "file": file}])
    with pytest.raises(ShowError) as caught:
        load_show(tiny_show.folder)
    assert str(caught.value).startswith(
        "ballads/ballad-3/ballad.yaml: paintings[0].file: leads out"
    )


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_out_of_the_show_or_in_a_circle_is_refused(tiny_show: Show) -> None:
    picture = tiny_show.painting_path("ballad-1", 0)
    picture.unlink()
    picture.symlink_to("/etc/passwd")
    with pytest.raises(ShowError, match=r"paintings\[0\].file: leads out"):
        load_show(tiny_show.folder)
    picture.unlink()
    picture.symlink_to(picture)
    with pytest.raises(ShowError, match=r"paintings\[0\].file: leads nowhere"):
        load_show(tiny_show.folder)


def test_a_shared_painting_inside_the_show_is_fine(tiny_show: Show) -> None:
    path = tiny_show.ballad_folder("ballad-3") / "ballad.yaml"
    file = "../ballad-1/paintings/1.png"
    change_yaml(path, paintings=[{"id": "p1", "line": "x", "file": file}])
    assert load_show(tiny_show.folder).painting_path("ballad-3", 0).is_file()


def test_faults_name_file_and_path(tiny_show: Show) -> None:
    change_yaml(tiny_show.ballad_folder("ballad-2") / "ballad.yaml", paintings=[{"id": "p1"}])
    with pytest.raises(ShowError, match=r"^ballads/ballad-2/ballad.yaml: paintings\[0\].line: is"):
        load_show(tiny_show.folder)
    (tiny_show.ballad_folder("ballad-2") / "ballad.yaml").unlink()
    with pytest.raises(ShowError, match=r"^ballads/ballad-2/ballad.yaml cannot be read: No such"):
        load_show(tiny_show.folder)
    with pytest.raises(ShowError, match="There is no show in"):
        load_show(tiny_show.folder / "ballads")


def test_two_ballads_of_one_title(tiny_show: Show) -> None:
    change_yaml(tiny_show.ballad_folder("ballad-2") / "ballad.yaml", title="BALLAD number 1")
    with pytest.raises(ShowError, match=r"ballad-2/ballad.yaml: title: .* is taken"):
        load_show(tiny_show.folder)


def test_upgrades_are_chained() -> None:
    upgrades = {1: lambda data: {**data, "a": 1}, 2: lambda data: {**data, "b": data["a"] + 1}}
    assert upgrade({"schema_version": 1}, upgrades, 3) == {"schema_version": 3, "a": 1, "b": 2}
    with pytest.raises(ShowError, match="can no longer be read"):
        upgrade({"schema_version": 1}, {2: upgrades[2]}, 3)


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        (None, "must be there"),
        (True, "must be there"),
        ("1", "must be there"),
        (9, "newer version"),
    ],
)
def test_versions_that_cannot_be_read(tiny_show: Show, version: object, fault: str) -> None:
    change_yaml(tiny_show.folder / "show.yaml", schema_version=version)
    with pytest.raises(ShowError, match=f"show.yaml: schema_version: .*{fault}"):
        load_show(tiny_show.folder)


@pytest.mark.parametrize(
    "wanted", [3, 3.0, "3", " 3 ", "ballad-3", "BALLAD-3", "Ballad Number 3", " ballad number 3"]
)
def test_ways_to_name_a_ballad(tiny_show: Show, wanted: str | int | float) -> None:
    assert resolve_ballad(tiny_show, wanted) == "ballad-3"


@pytest.mark.parametrize(
    "wanted",
    [0, 8, -1, 1.5, float("nan"), float("inf"), True, "", "²", "8", "9" * 5000, "nope", "x" * 9999],
)
def test_ballads_that_are_not_there(tiny_show: Show, wanted: str | int | float) -> None:
    with pytest.raises(ShowError, match="there are 1 ballad-1, 2 ballad-2") as caught:
        resolve_ballad(tiny_show, wanted)
    assert len(str(caught.value)) < 300


def test_a_tiny_show_of_other_sizes(tmp_path: Path) -> None:
    show = make_tiny_show(tmp_path / "s", screens=2, ballads=1, paintings=1, w_dim=4, num_ws=6)
    assert show.cycle_frames("ballad-1") == 360 and len(show.settings.screens) == 2
