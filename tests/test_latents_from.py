"""`publish --from` and `project --from-old`: what people already have, and files that lie."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generator.checkpoint import save_generator
from shows.latent_set import LatentSet, read_latent_set, write_latent_set
from shows.show import Show
from shows.show_file import load_show
from shows.timeline import latents_at, opening_cues
from tests.tiny_training import make_curating_show, tiny_generator
from training.__main__ import main
from training.errors import TrainingError
from training.latents.numpy_file import LARGEST_BYTES, read_numpy
from training.latents.projection_file import projection_path, read_projection
from training.show_folder import generator_hash

torch.set_num_threads(1)
Array = np.ndarray[Any, Any]


@pytest.fixture
def curating(tmp_path: Path) -> Show:
    return make_curating_show(tmp_path / "show")


def some_z(n: int = 2) -> Array:
    return np.random.default_rng(4).standard_normal((n, 32)).astype(np.float32)


def some_w(n: int = 2) -> Array:
    w: Array = tiny_generator().mapping(torch.from_numpy(some_z(n)))[:, 0].numpy()
    return w


def some_w_plus() -> Array:
    return np.random.default_rng(5).standard_normal((2, 6, 32)).astype(np.float32)


def publish(show: Show, *words: object) -> LatentSet:
    assert main(["publish", str(show.folder), *(str(word) for word in words)]) == 0
    return read_latent_set(show.latents_path("ballad-1"))


def fault(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_projected_w_of_the_published_projector_file_by_file(
    curating: Show, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for number, w in enumerate(some_w(), 1):
        (tmp_path / f"out{number}").mkdir()
        files.append(tmp_path / f"out{number}" / "projected_w.npz")
        np.savez(files[-1], w=np.repeat(w[None, None], 6, axis=1))
    found = publish(curating, "--from", *files)
    out = capsys.readouterr().out
    assert "2 paintings published, from files" in out
    assert "amber: ballad-1: the files do not say which generator" in out
    assert "The show is whole" in out
    assert found.ws.shape == (2, 1, 32), "one w for all layers is kept as one"
    np.testing.assert_array_equal(found.ws[:, 0], some_w())
    entry = found.provenance[1]
    assert entry["by"] == "file" and entry["painting"]["id"] == "p2"
    assert entry["from"]["file"] == "projected_w.npz" and entry["from"]["kind"] == "w"
    assert entry["generator"] == found.generator_hash == generator_hash(curating)
    with Image.open(curating.folder / "work" / "ballad-1" / "published.png") as sheet:
        assert sheet.size == (2 * 64 + 3 * 8, 38 + 2 * (64 + 22 + 8))
    show = load_show(curating.folder)
    np.testing.assert_array_equal(latents_at(show, opening_cues(show), 0, 0)[3], some_w()[0])


def test_arrays_of_many_shapes(curating: Show, tmp_path: Path) -> None:
    path = tmp_path / "l.npy"

    def published(array: Array, *words: str) -> Array:
        np.save(path, array)
        return publish(curating, "--from", path, *words).ws

    np.testing.assert_array_equal(published(some_w())[:, 0], some_w())
    np.testing.assert_array_equal(published(some_w().astype(np.float64))[:, 0], some_w())
    np.testing.assert_array_equal(published(some_w()[:, None])[:, 0], some_w())
    np.testing.assert_array_equal(published(np.asfortranarray(some_w_plus())), some_w_plus())
    # its file holds half precision
    np.testing.assert_allclose(published(some_z(), "--as", "z")[:, 0], some_w(), atol=5e-3)
    assert np.abs(published(some_z(), "--as", "w")[:, 0] - some_w()).max() > 0.1


def test_files_in_the_wrong_order_are_noticed(
    curating: Show, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # the paintings of this show are pictures of these
    z = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 32))).float()
    w = tiny_generator().mapping(z)[:, 0].numpy()
    paths = [tmp_path / "1.npy", tmp_path / "2.npy"]
    for path, each in zip(paths, w, strict=True):
        np.save(path, each)
    publish(curating, "--from", *paths)
    assert "not like the paintings" not in capsys.readouterr().out
    publish(curating, "--from", *paths[::-1])
    out = capsys.readouterr().out
    assert "amber: ballad-1: the pictures published for p1 (" in out
    assert "are not like the paintings; are the files of this generator" in out


def test_an_array_called_z_is_z(curating: Show, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "l.npz", z=some_z(), seeds=np.arange(2))
    found = publish(curating, "--from", tmp_path / "l.npz")
    np.testing.assert_allclose(found.ws[:, 0], some_w(), atol=5e-3)
    assert found.provenance[0]["from"]["kind"] == "z"


def test_one_file_a_painting_with_a_w_for_each_layer(curating: Show, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.npy" for name in ("a", "b")]
    for path, layers in zip(paths, some_w_plus(), strict=True):
        np.save(path, layers)  # [num_ws, w_dim], as encoders write it
    found = publish(curating, "--from", *paths)
    np.testing.assert_array_equal(found.ws, some_w_plus())
    assert found.provenance[0]["from"]["kind"] == "w+"
    np.save(paths[0], some_w()[0])
    mixed = publish(curating, "--from", *paths)
    np.testing.assert_array_equal(mixed.ws[0], np.repeat(some_w()[:1], 6, axis=0))
    np.testing.assert_array_equal(mixed.ws[1], some_w_plus()[1])


@pytest.mark.parametrize("layout", ["ballad file", "by id", "by number", "alone", "projector"])
def test_a_folder_is_searched_by_names(tmp_path: Path, layout: str) -> None:
    show = make_curating_show(tmp_path / "show", ballads=1 if layout == "alone" else 2)
    folder = tmp_path / "mine"
    places = [folder] if layout == "alone" else [folder / "ballad-1", folder / "ballad-2"]
    for place in places:
        place.mkdir(parents=True)
        for number, w in enumerate(some_w(), 1):
            if layout == "ballad file":
                np.save(folder / f"{place.name}.npy", some_w())
            elif layout == "projector":
                (place / str(number)).mkdir()
                np.savez(place / str(number) / "projected_w.npz", w=w[None, None])
            else:
                name = f"p{number}" if layout == "by id" else str(number)
                np.save(place / f"{name}.npy", w)
    np.testing.assert_array_equal(publish(show, "--from", folder).ws[:, 0], some_w())
    assert all(show.latents_path(name).is_file() for name in show.ballad_ids)


def hostile_npy(header: bytes, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body


def npz(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def saved(array: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("was-run"),))


HUGE = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 32)}\n"
HOSTILE = {
    "pickle.npy": (saved(np.array([Evil()], dtype=object)), "object, not floating-point"),
    "pickle.npz": (npz(w=saved(np.array([Evil()], dtype=object))), "object, not floating-point"),
    "huge.npy": (hostile_npy(HUGE), "does not fit its"),
    "huge.npz": (npz(w=hostile_npy(HUGE)), "does not fit its"),
    "code.npy": (hostile_npy(b"__import__('os').getcwd()\n"), "cannot be read as latents"),
    "nested.npy": (hostile_npy(b"(" * 9000 + b"\n"), "cannot be read as latents"),
    "unended.npy": (hostile_npy(b"{'descr': '\n"), "cannot be read as latents"),
    "empty.npy": (b"", "cannot be read as latents"),
    "text.npy": (b"w = 1\n" * 99, "cannot be read as latents"),
    "short.npy": (saved(np.zeros((2, 32)))[:-1], "does not fit its"),
    "long.npy": (saved(np.zeros((2, 32))) + b"\0", "does not fit its"),
    "whole.npy": (saved(np.zeros((2, 32), np.int32)), "int32, not floating-point"),
    "none.npy": (saved(np.zeros((0, 32))), "is empty"),
    "nan.npy": (saved(np.full((2, 32), np.nan)), "not finite"),
    "large.npy": (saved(np.full((2, 32), 1e300)), "not finite"),
    "scalar.npy": (saved(np.float32(1)), "holds w of shape []"),
    "other.npy": (saved(np.zeros((2, 512))), "this generator's have 32 numbers"),
    "layers.npy": (saved(np.zeros((2, 5, 32))), "holds w of shape [2, 5, 32]; wanted is"),
    "three.npy": (saved(np.zeros((3, 32))), "3 latents for the 2 paintings of ballad-1"),
    "no.npz": (b"PK\x03\x04 no archive", "cannot be read as latents"),
    "two.npz": (npz(a=saved(np.zeros(32)), b=saved(np.zeros(32))), "wanted is one array"),
    "nothing.npz": (npz(), "it has none"),
    "torn.npz": (npz(w=saved(some_z()))[:-30], "cannot be read as latents"),
    "l.txt": (b"1 2 3", "wanted is a .npz, .npy or .safetensors file"),
    "l.safetensors": (b"\xff" * 64, "is no safetensors file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_wrong_is_refused_in_words(
    curating: Show, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content, words = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(content)
    said = fault(capsys, "publish", curating.folder, "--from", path)
    assert words in said and name in said
    assert len(said) < 700
    assert not curating.latents_path("ballad-1").exists() and not Path("was-run").exists()


def test_every_truncated_or_flipped_file_is_read_or_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, whole in (("l.npy", saved(some_z())), ("l.npz", npz(w=saved(some_z())))):
        path = tmp_path / name
        refused = 0
        for _ in range(300):
            broken = bytearray(whole)
            for _ in range(int(random.integers(1, 4))):
                broken[random.integers(len(broken))] = random.integers(256)
            path.write_bytes(broken[: random.integers(len(broken) // 2, len(broken) + 1)])
            try:
                array, _ = read_numpy(path)
            except TrainingError:
                refused += 1
                continue
            assert np.isfinite(array).all()
        assert refused > 150


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("w.npy", b"\0" * 1000)
    raw = bytearray(file.getvalue())
    # what the archive's own directory claims
    place = raw.rindex(b"PK\x01\x02") + 24
    raw[place : place + 4] = (LARGEST_BYTES + 1).to_bytes(4, "little")
    path = tmp_path / "bomb.npz"
    path.write_bytes(raw)
    with pytest.raises(TrainingError, match="larger than 256 MiB"):
        read_numpy(path)


def test_which_files_belong_to_which_ballad_must_be_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show", ballads=2)
    path, folder = tmp_path / "l.npy", tmp_path / "folder"
    np.save(path, some_w())
    folder.mkdir()

    def said(*words: object) -> str:
        return fault(capsys, "publish", show.folder, *words)

    assert "does not say which ballad" in said("--from", path)
    assert "there is no such file" in said("--from", tmp_path / "none.npy")
    assert "a folder is given alone" in said("--from", folder, path)
    assert "holds no latents of ballad-1, ballad-2" in said("--from", folder)
    assert "tells what the files of --from are" in said("--as", "z")
    (folder / "ballad-1").mkdir()
    np.save(folder / "ballad-1" / "p1.npy", some_w()[0])
    assert "holds nothing for p2" in said("--from", folder)
    assert main(["publish", str(show.folder), "--ballad", "2", "--from", str(path)]) == 0
    assert read_latent_set(show.latents_path("ballad-2")).ballad_id == "ballad-2"
    assert not show.latents_path("ballad-1").exists()


@pytest.fixture
def old(tmp_path: Path) -> Show:
    """The same paintings, projected and published with an earlier model."""
    show = make_curating_show(tmp_path / "old")
    save_generator(tiny_generator(seed=9), show.generator_path)
    folder = str(show.folder)
    assert main(["project", folder, "--steps", "3"]) == 0
    assert main(["neighbours", folder, "--auto", "--strength", "0.3"]) == 0
    assert main(["publish", folder]) == 0
    return show


@pytest.mark.parametrize("given", ["file", "projection", "show"])
def test_an_earlier_models_latents_are_published_with_a_warning_that_names_both(
    curating: Show, old: Show, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {
        "file": old.latents_path("ballad-1"),
        "projection": projection_path(old, "ballad-1"),
        "show": old.folder,
    }[given]
    capsys.readouterr()
    found = publish(curating, "--from", source)
    out = capsys.readouterr().out
    amber = next(line for line in out.splitlines() if line.startswith("amber: "))
    assert generator_hash(old)[:12] in amber and generator_hash(curating)[:12] in amber
    earlier = read_latent_set(old.latents_path("ballad-1"))
    wanted = read_projection(old, "ballad-1").ws if given == "projection" else earlier.ws[:, 0]
    np.testing.assert_array_equal(found.ws[:, 0], wanted)
    origin = found.provenance[0]["from"]
    assert origin["generator"] == generator_hash(old)
    if given != "projection":
        assert origin["earlier"]["number"] == earlier.provenance[0]["number"]
    assert "The show is whole" in out and load_show(curating.folder).warnings == ()


def test_latents_of_this_very_generator_need_no_warning(
    curating: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["project", str(curating.folder), "--steps", "60"]) == 0
    capsys.readouterr()
    publish(curating, "--from", projection_path(curating, "ballad-1"))
    assert "amber" not in capsys.readouterr().out
    again = publish(curating, "--from", curating.latents_path("ballad-1"))
    thrice = publish(curating, "--from", curating.latents_path("ballad-1"))
    assert "amber" not in capsys.readouterr().out
    assert len(str(thrice.provenance)) == len(str(again.provenance)), "provenance does not grow"


def test_a_set_of_another_ballad_shape_or_with_a_gap_is_refused(
    curating: Show, old: Show, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = read_latent_set(old.latents_path("ballad-1"))
    path = tmp_path / "set.safetensors"

    def said(**changes: Any) -> str:
        kept = {name: getattr(held, name) for name in LatentSet.__dataclass_fields__}
        write_latent_set(path, LatentSet(**{**kept, **changes}))
        return fault(capsys, "publish", curating.folder, "--from", path)

    assert "is of the ballad 'other', which is none of ballad-1" in said(ballad_id="other")
    assert "no latents for p2" in said(painting_ids=("p1", "p9"))
    other_layers = np.zeros((2, 8, 32), np.float32)
    assert "holds ws of 8 x 32, and the generator takes 6 x 32" in said(ws=other_layers, num_ws=8)
    assert "ws of 1 x 16" in said(
        ws=held.ws[..., :16], w_avg=held.w_avg[:16], loop_noise=held.loop_noise[..., :16]
    )
    again = fault(capsys, "publish", curating.folder, "--from", path, path)
    assert "give one latent set, or numpy files" in again


@pytest.mark.parametrize("given", ["show", "latents", "npy"])
def test_projecting_begins_at_the_ws_of_an_earlier_model(
    curating: Show, old: Show, tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "old.npy", some_w())
    source, wanted, model = {
        # the first step of the schedule is of length 0: one step gives the start again
        "show": (old.folder, read_projection(old, "ballad-1").ws, generator_hash(old)),
        "latents": (
            old.latents_path("ballad-1"),
            read_latent_set(old.latents_path("ballad-1")).ws[:, 0],
            generator_hash(old),
        ),
        "npy": (tmp_path / "old.npy", some_w(), None),
    }[given]
    command = ["project", str(curating.folder), "--steps", "1", "--from-old", str(source)]
    capsys.readouterr()
    assert main(command) == 0
    out = capsys.readouterr().out
    found = read_projection(curating, "ballad-1")
    np.testing.assert_array_equal(found.ws, wanted)
    assert [painting["start"] for painting in found.paintings] == ["earlier w"] * 2
    if model:
        assert f"amber: ballad-1 begins at ws of the generator {model[:12]}" in out
        assert generator_hash(curating)[:12] in out and model[:12] in found.settings["start"]
    assert main(command) == 0
    assert "1 ballads were up to date" in capsys.readouterr().out
    assert main(["project", str(curating.folder), "--steps", "1"]) == 0
    assert "1 ballads projected" in capsys.readouterr().out, "another start is another projection"


def test_a_show_whose_generator_was_trained_on_goes_on_from_itself_and_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show", ballads=2, paintings=1)
    folder = str(show.folder)
    assert main(["project", folder, "--steps", "2"]) == 0
    before = {name: read_projection(show, name).ws for name in show.ballad_ids}
    save_generator(tiny_generator(seed=9), show.generator_path)
    command = ["project", folder, "--steps", "1", "--from-old", folder]
    assert main([*command, "--ballad", "ballad-1"]) == 0, "as if stopped after the first"
    capsys.readouterr()
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "1 ballads were up to date" in out and "1 ballads projected" in out
    for name in show.ballad_ids:
        found = read_projection(show, name)
        np.testing.assert_array_equal(found.ws, before[name])
        assert found.generator_hash == generator_hash(show)


def test_old_ws_cross_between_the_spaces(curating: Show, tmp_path: Path) -> None:
    path = tmp_path / "old.npy"
    command = ["project", str(curating.folder), "--steps", "1", "--from-old", str(path)]
    np.save(path, some_w_plus())
    assert main([*command, "--space", "w+"]) == 0
    np.testing.assert_array_equal(read_projection(curating, "ballad-1").ws, some_w_plus())
    assert main(command) == 0
    found = read_projection(curating, "ballad-1").ws
    np.testing.assert_allclose(found, some_w_plus().mean(axis=1), atol=1e-6)
    np.save(path, some_w())
    assert main([*command, "--space", "w+"]) == 0
    found = read_projection(curating, "ballad-1").ws
    np.testing.assert_array_equal(found, np.repeat(some_w()[:, None], 6, axis=1))


def test_two_starts_and_ballads_without_old_ws(
    tmp_path: Path, old: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show", ballads=2)
    words = ["project", show.folder, "--steps", "1", "--from-old", old.folder]
    assert "Give either --codes or --from-old" in fault(capsys, *words, "--codes", "c")
    assert main([str(word) for word in words]) == 0
    assert "ballad-2:" in capsys.readouterr().out
    assert not projection_path(show, "ballad-2").exists()
