from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from shows.latent_set import LatentSet, draw_loop_noise, read_latent_set, write_latent_set
from shows.schema import ShowError


def latent_set(**changes: Any) -> LatentSet:
    random = np.random.default_rng(1)
    values: dict[str, Any] = {
        "ballad_id": "a",
        "painting_ids": ("p1", "p2", "p3"),
        "ws": random.standard_normal((3, 1, 8)).astype(np.float32),
        "num_ws": 4,
        "w_avg": np.zeros(8, np.float32),
        "loop_noise": random.standard_normal((2, 3, 7, 8)).astype(np.float32),
        "generator_hash": "ab12",
        "provenance": ({"choice": 3}, {"choice": 0}, {"auto": True}),
    }
    return LatentSet(**{**values, **changes})


@pytest.mark.parametrize("layers", [1, 4])
def test_written_and_read_back(tmp_path: Path, layers: int) -> None:
    written = latent_set(ws=np.random.default_rng(2).random((3, layers, 8), np.float32))
    write_latent_set(tmp_path / "l.safetensors", written)
    read = read_latent_set(tmp_path / "l.safetensors")
    for name in ("ws", "w_avg", "loop_noise"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    for name in ("ballad_id", "painting_ids", "num_ws", "generator_hash", "provenance"):
        assert getattr(read, name) == getattr(written, name)


def test_the_same_set_gives_the_same_bytes_and_leaves_no_other_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_latent_set(tmp_path / name, latent_set())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_latent_set(path, latent_set())
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ShowError, match="No space left"):
        write_latent_set(path, latent_set(generator_hash="cd34"))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a"]


def test_arrays_are_read_only_and_not_the_callers() -> None:
    ws = np.zeros((3, 1, 8), np.float32)
    made = latent_set(ws=ws)
    ws[:] = 7
    assert (made.ws == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        made.ws[0] = 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"ws": np.full((3, 1, 8), np.nan, np.float32)}, "ws: holds a number that is not finite"),
        ({"w_avg": np.full(8, np.inf, np.float32)}, "w_avg: holds a number"),
        ({"ws": np.zeros((3, 1, 8))}, "ws: must be float32"),
        ({"ws": np.zeros((3, 8), np.float32)}, "ws: must be float32 with 3 dimensions"),
        ({"ws": np.zeros((3, 2, 8), np.float32)}, "ws: has 2 layers; wanted is 1 or 4"),
        ({"ws": np.zeros((2, 1, 8), np.float32)}, "painting_ids: must be 2 different ids"),
        ({"painting_ids": ("p1", "p1", "p2")}, "painting_ids"),
        ({"w_avg": np.zeros(9, np.float32)}, "w_avg: must have 8 numbers"),
        ({"loop_noise": np.zeros((1, 2, 7, 8), np.float32)}, "loop_noise: has shape"),
        ({"loop_noise": np.zeros((0, 3, 7, 8), np.float32)}, "loop_noise: must be float32"),
        ({"provenance": ()}, "provenance: must have one entry"),
    ],
)
def test_parts_that_do_not_fit(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ShowError, match=fault):
        latent_set(**changes)


def test_provenance_must_be_json_and_short(tmp_path: Path) -> None:
    with pytest.raises(ShowError, match="provenance: is not plain JSON"):
        write_latent_set(tmp_path / "a", latent_set(provenance=({"x": Path("y")}, {}, {})))
    with pytest.raises(ShowError, match="provenance: is larger than 1 MB"):
        write_latent_set(tmp_path / "a", latent_set(provenance=({"x": "y" * 10**6}, {}, {})))
    assert not (tmp_path / "a").exists()


def test_select_follows_ids() -> None:
    made = latent_set()
    chosen = made.select(("p3", "p1"))
    np.testing.assert_array_equal(chosen.ws, made.ws[[2, 0]])
    np.testing.assert_array_equal(chosen.loop_noise, made.loop_noise[:, [2, 0]])
    assert chosen.provenance == ({"auto": True}, {"choice": 3})
    with pytest.raises(ShowError, match="nothing for p9"):
        made.select(("p1", "p9"))


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "l.safetensors"
    write_latent_set(path, latent_set())
    whole = path.read_bytes()
    for length in [*range(64), *range(64, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ShowError, match=r"^l\.safetensors "):
            read_latent_set(path)


def test_every_flipped_byte_of_the_header_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "l.safetensors"
    write_latent_set(path, latent_set())
    whole = path.read_bytes()
    header_bytes = int.from_bytes(whole[:8], "little")
    refused = 0
    for index in range(0, 8 + header_bytes, 2):
        broken = bytearray(whole)
        broken[index] ^= 0x15
        path.write_bytes(broken)
        try:
            read_latent_set(path)
        except ShowError:
            refused += 1
    assert refused > header_bytes // 4


def write_raw(path: Path, facts: object, tensors: dict[str, Any] | None = None) -> None:
    made = latent_set()
    arrays = {"ws": made.ws, "w_avg": made.w_avg, "loop_noise": made.loop_noise, **(tensors or {})}
    path.write_bytes(safetensors.numpy.save(arrays, metadata={"latent_set": json.dumps(facts)}))


FACTS = {
    "format": "inspace-latents-1",
    "ballad_id": "a",
    "painting_ids": ["p1", "p2", "p3"],
    "num_ws": 4,
    "generator_hash": "ab12",
    "provenance": [{}, {}, {}],
}


@pytest.mark.parametrize(
    ("facts", "tensors", "fault"),
    [
        ([], {}, "format: must be"),
        ({**FACTS, "format": "x"}, {}, "format: must be"),
        ({**FACTS, "num_ws": "4"}, {}, "num_ws: is missing or of the wrong kind"),
        ({**FACTS, "num_ws": True}, {}, "num_ws: is missing or of the wrong kind"),
        ({**FACTS, "painting_ids": [1, 2, 3]}, {}, "painting_ids: must be texts"),
        ({**FACTS, "provenance": [1, 2, 3]}, {}, "provenance: must be mappings"),
        (FACTS, {"ws": np.zeros((3, 1, 8))}, "ws: must be there, F32"),
        (FACTS, {"w_avg": np.full(8, np.nan, np.float32)}, "w_avg: holds a number"),
    ],
)
def test_wrong_contents_of_a_file(
    tmp_path: Path, facts: object, tensors: dict[str, Any], fault: str
) -> None:
    write_raw(tmp_path / "l.safetensors", facts, tensors)
    with pytest.raises(ShowError) as caught:
        read_latent_set(tmp_path / "l.safetensors")
    assert str(caught.value).startswith("l.safetensors") and fault in str(caught.value)


def draw(**changes: Any) -> np.ndarray[Any, Any]:
    values: dict[str, Any] = {
        "show_seed": 1,
        "ballad_id": "a",
        "painting_ids": ("p1", "p2", "p3"),
        "stops": 7,
        "noise_cycles": 2,
        "w_std": np.linspace(0, 2, 512),
        "rerolls": {},
    }
    return draw_loop_noise(**{**values, **changes})


def test_noise_is_gaussian_with_the_deviation_of_w() -> None:
    noise = draw(w_std=np.linspace(0, 2, 512), stops=40, noise_cycles=5)
    assert noise.shape == (5, 3, 40, 512) and noise.dtype == np.float32
    np.testing.assert_allclose(noise.std(axis=(0, 1, 2)), np.linspace(0, 2, 512), atol=0.25)
    assert abs(float(noise.mean())) < 0.02


def test_noise_follows_ids_not_positions_and_grows_without_changing() -> None:
    noise = draw()
    np.testing.assert_array_equal(draw(), noise)
    np.testing.assert_array_equal(draw(painting_ids=("p3", "p1")), noise[:, [2, 0]])
    np.testing.assert_array_equal(draw(stops=9, noise_cycles=3)[:2, :, :7], noise)


def test_noise_changes_with_seed_ballad_and_reroll() -> None:
    noise = draw()
    assert not np.array_equal(draw(show_seed=2), noise)
    assert not np.array_equal(draw(ballad_id="b"), noise)
    rerolled = draw(rerolls={"p2": 1})
    np.testing.assert_array_equal(rerolled[:, [0, 2]], noise[:, [0, 2]])
    assert not np.array_equal(rerolled[:, 1], noise[:, 1])
    assert not np.array_equal(noise[0], noise[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"stops": 0},
        {"w_std": np.array([np.nan])},
        {"w_std": np.array([-1.0])},
        {"rerolls": {"x": 1}},
    ],
)
def test_noise_refuses_nonsense(changes: dict[str, Any]) -> None:
    with pytest.raises(ShowError):
        draw(**changes)
