"""`project`: appendix D's arithmetic, recovery of known pictures, and the verb on a tiny show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import generator
from shows.picture_file import square_box
from shows.schema import Painting
from shows.show import Show
from shows.show_file import load_show, save_ballad, save_settings
from tests.golden import compares, golden_arrays, golden_folder, met
from tests.tiny_training import make_curating_show, tiny_discriminator, tiny_generator
from training.__main__ import main
from training.errors import TrainingError
from training.latents import projection_session
from training.latents.perceptual import FeatureDistance, built_in_distance, sum_of_squares
from training.latents.projection_file import projection_path, read_projection
from training.latents.projector import (
    Draws,
    ProjectionOptions,
    descent,
    draw_randoms,
    noise_regulariser,
    project,
)
from training.latents.w_statistics import statistics_z, w_statistics
from training.learning.codes_file import CODES_FILE, load_codes, save_codes
from training.learning.reconstruction import LinearCodes
from training.show_folder import painting_facts, read_target
from training.shown_picture import ShownAs, draw, draw_pixels

torch.set_num_threads(1)
KEYS = [("ballad-1", "p1"), ("ballad-1", "p2"), ("ballad-1", "p3")]


@pytest.fixture
def curating(tmp_path: Path) -> Show:
    return make_curating_show(tmp_path / "show")


def own_pictures(n: int) -> Tensor:
    net = tiny_generator()
    z = torch.from_numpy(np.random.default_rng(5).standard_normal((n, 32))).float()
    return draw(net, net.mapping(z)[:, 0].numpy(), ShownAs())


def test_its_own_pictures_are_found_again_far_better_than_by_the_mean() -> None:
    net = tiny_generator()
    distance = built_in_distance([FeatureDistance(tiny_discriminator(), "D")])
    options = ProjectionOptions(steps=50)
    found = project(net, own_pictures(3), distance, options, ShownAs(), KEYS)
    assert found.ws.shape == (3, 32) and found.ws.dtype == np.float32
    assert found.step_distances.shape == (50, 3)
    assert (found.shown < found.mean_shown / 5).all(), (found.shown, found.mean_shown)


def test_a_painting_does_not_depend_on_its_company_nor_on_the_batch() -> None:
    net, targets = tiny_generator(), own_pictures(3)
    distance = built_in_distance([])
    together = project(net, targets, distance, ProjectionOptions(steps=4), ShownAs(), KEYS)
    one = ProjectionOptions(steps=4, batch=1)
    apart = project(net, targets.flip(0), distance, one, ShownAs(), KEYS[::-1])
    np.testing.assert_allclose(together.ws, apart.ws[::-1], atol=1e-4)
    np.testing.assert_allclose(together.shown, apart.shown[::-1], rtol=1e-3)
    other = project(net, targets, distance, ProjectionOptions(steps=4, seed=2), ShownAs(), KEYS)
    assert np.abs(other.ws - together.ws).max() > 1e-3


def test_a_descent_may_begin_where_the_answer_lies() -> None:
    net = tiny_generator()
    z = torch.from_numpy(np.random.default_rng(5).standard_normal((3, 32))).float()
    answer = net.mapping(z)[:, 0].detach().numpy()
    distance = built_in_distance([])
    options = ProjectionOptions(steps=1, w_noise=0.0)
    from_the_mean = project(net, own_pictures(3), distance, options, ShownAs(), KEYS)
    from_there = project(net, own_pictures(3), distance, options, ShownAs(), KEYS, starts=answer)
    assert (from_there.shown < 0.05 * from_the_mean.shown).all()
    assert np.array_equal(from_there.mean_shown, from_the_mean.mean_shown)


def test_projecting_changes_nothing_in_the_generator() -> None:
    net = tiny_generator()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    options = ProjectionOptions(steps=2)
    project(net, own_pictures(1), built_in_distance([]), options, ShownAs(), KEYS[:1])
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_a_painting_of_another_size_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"\[3, 8, 8\] do not fit .* \[3, 16, 16\]"):
        project(
            tiny_generator(), torch.zeros(1, 3, 8, 8), built_in_distance([]), ProjectionOptions(),
            ShownAs(), KEYS[:1],
        )  # fmt: skip


def test_ramps_of_appendix_d() -> None:
    options = ProjectionOptions(steps=1000)
    assert options.learning_rate_at(0) == 0
    assert options.learning_rate_at(25) == pytest.approx(0.05)
    assert options.learning_rate_at(50) == options.learning_rate_at(750) == pytest.approx(0.1)
    assert options.learning_rate_at(875) == pytest.approx(0.05)
    assert options.learning_rate_at(999) < 1e-5
    assert options.w_noise_at(0) == pytest.approx(0.05)
    assert options.w_noise_at(375) == pytest.approx(0.05 / 4)
    assert options.w_noise_at(750) == options.w_noise_at(999) == 0


def test_the_noise_regulariser_tells_white_noise_from_a_picture() -> None:
    white = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    smooth = F.avg_pool2d(white, 5, stride=1, padding=2)
    smooth = smooth / smooth.std()
    far = noise_regulariser({"a": torch.cat([white[:1], smooth[:1]])})
    assert far.shape == (2,)
    assert far[1] > 20 * far[0]
    # every halving counts: 2x2 blocks at 32 pixels are white at 16
    assert noise_regulariser({"a": torch.ones(1, 1, 32, 32)}).item() == pytest.approx(6.0)
    assert noise_regulariser({"a": torch.ones(1, 1, 4, 4)}).item() == pytest.approx(2.0)


def test_truncation_and_noise_mode_are_those_of_the_show() -> None:
    net = tiny_generator()
    ws = np.random.default_rng(0).standard_normal((1, 32)).astype(np.float32)
    plain = draw(net, ws, ShownAs("none", 1.0))
    assert not torch.equal(plain, draw(net, ws, ShownAs("const", 1.0)))
    mean = net.mapping.w_avg.numpy()
    np.testing.assert_allclose(
        draw(net, ws, ShownAs("none", 0.5)).numpy(),
        draw(net, mean + 0.5 * (ws - mean), ShownAs("none", 1.0)).numpy(),
        atol=1e-5,
    )
    assert draw_pixels(net, ws, ShownAs()).shape == (1, 16, 16, 3)


class StandIn:
    """The distance that the reference run used: 16x16 means of 0..255, over 100."""

    description = "stand-in"

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        levels = (images + 1) * 127.5
        return (F.interpolate(levels, size=(16, 16), mode="area") / 100,)

    def distance(self, target: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> Tensor:
        return sum_of_squares(target, other)


@compares("projector.npz", "w_*", "z_first4", "num_samples")
def test_the_statistics_of_the_reference_are_met() -> None:
    net = generator.load(golden_folder() / "g_torch.pkl")
    statistics = w_statistics(net)
    met("projector.npz", "w_avg", statistics.mean[None, None], of_max=1e-5)
    met("projector.npz", "w_std", statistics.length, relative=1e-5)
    met("projector.npz", "z_first4", statistics_z(net.z_dim)[:4])
    met("projector.npz", "num_samples", len(statistics_z(net.z_dim)))


@compares("projector.npz", "traj_w", "traj_lr", "traj_*_scale", "traj_dist", "traj_*loss")
@compares("projector.npz", "noise_final/*")
def test_every_step_of_the_reference_run_is_met() -> None:
    reference = golden_arrays("projector.npz")
    net = generator.load(golden_folder() / "g_torch.pkl")
    statistics = w_statistics(net)
    noise = {
        name.removeprefix("noise_init/"): array[None, None]
        for name, array in reference.items()
        if name.startswith("noise_init/")
    }
    draws = Draws(reference["traj_w_noise"][:, None], noise)
    assert set(noise) == set(draw_randoms(net, ProjectionOptions(steps=1), KEYS[:1]).noise)
    target = torch.from_numpy(reference["target_u8"])[None].float() / 127.5 - 1
    options = ProjectionOptions(steps=int(reference["traj_num_steps"]))
    path, distances, penalties = [], [], []
    for step in descent(net, target, StandIn(), options, statistics, draws):
        path.append(step.w[0].tolist())
        distances.append(step.distances.item())
        penalties.append(step.noise_penalties.item())
    numbers = range(options.steps)
    # the README of the folder, section 8: early steps are told apart more finely
    far = np.where(np.arange(options.steps) < 5, 1e-3, 3e-2)[:, None]
    met("projector.npz", "traj_w", path, absolute=far)
    met("projector.npz", "traj_lr", [options.learning_rate_at(n) for n in numbers], relative=1e-9)
    scales = [options.w_noise_at(n) * statistics.length for n in numbers]
    met("projector.npz", "traj_w_noise_scale", scales, relative=1e-5)
    loss = np.array(distances) + options.noise_weight * np.array(penalties)
    met("projector.npz", "traj_dist", distances[:-1], relative=1e-3)
    met("projector.npz", "traj_reg_loss", penalties[:-1], relative=1e-3)
    met("projector.npz", "traj_loss", loss[:-1], relative=1e-3)
    for name, level in step.noise.items():
        met("projector.npz", f"noise_final/{name}", level.detach()[0, 0], absolute=1e-2)


def test_the_verb_writes_projections_and_sheets_and_resumes(
    curating: Show, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["project", str(curating.folder), "--steps", "30"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "as shown" in out and " 1 p1" in out and "1 ballads projected" in out
    found = read_projection(curating, "ballad-1")
    assert found.painting_ids == ("p1", "p2")
    assert found.ws.shape == (2, 32) and found.w_std.shape == (32,)
    assert found.settings["steps"] == 30 and "discriminator" in found.settings["distance"]
    assert found.paintings[0]["sha256"] == painting_facts(
        curating, curating.ballads[0], 0
    )["sha256"]  # fmt: skip
    sheet = curating.folder / "work" / "ballad-1" / "projection.png"
    with Image.open(sheet) as image:
        assert image.size == (2 * 64 + 3 * 8, 38 + 2 * (64 + 22 + 8))
    sheet.unlink()
    before = projection_path(curating, "ballad-1").read_bytes()
    monkeypatch.setattr(projection_session, "project", None)  # a second run must not get there
    assert main(command) == 0
    assert "1 ballads were up to date" in capsys.readouterr().out
    assert sheet.is_file() and projection_path(curating, "ballad-1").read_bytes() == before


def test_codes_of_a_training_are_a_start(
    curating: Show, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = tiny_generator()
    side = min(16, net.img_resolution)
    basis = torch.randn(3 * side * side, 5, generator=torch.Generator().manual_seed(1)) * 0.01
    path = tmp_path / CODES_FILE
    save_codes(LinearCodes(torch.zeros(3 * side * side), basis), path)
    kept = load_codes(path)
    assert torch.equal(kept.basis, basis)
    words = ["project", str(curating.folder), "--steps", "2"]
    assert main([*words, "--codes", str(path)]) == 0
    found = read_projection(curating, "ballad-1")
    assert found.settings["start"] == "codes"
    assert main(words) == 0, "without them it is another projection, and made anew"
    assert np.abs(read_projection(curating, "ballad-1").ws - found.ws).max() > 1e-3
    path.write_bytes(b"no codes")
    assert main([*words, "--codes", str(path)]) == 2
    assert "there are no codes in it" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["painting", "steps", "crop", "force", "file"])
def test_a_change_projects_again(
    curating: Show, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["project", str(curating.folder), "--steps", "1"]
    assert main(command) == 0
    ballad = curating.ballads[0]
    if change == "painting":
        Image.new("RGB", (16, 16), "teal").save(curating.painting_path("ballad-1", 0))
    elif change == "crop":
        first = ballad.paintings[0].model_copy(update={"crop": (0, 0, 8, 8)})
        changed = ballad.model_copy(update={"paintings": (first, *ballad.paintings[1:])})
        save_ballad(curating.folder, changed)
    elif change == "file":
        projection_path(curating, "ballad-1").write_bytes(b"garbage")
    capsys.readouterr()
    more = {"steps": ["--steps", "2"], "force": ["--force"]}.get(change, [])
    assert main([*command, *more]) == 0
    assert "1 ballads projected" in capsys.readouterr().out


def test_ctrl_c_keeps_finished_ballads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show = make_curating_show(tmp_path / "show", ballads=2, paintings=1)
    calls: Iterator[bool] = iter([False, True])
    real = projection_session.project

    def interrupted(*args: object, **more: object) -> object:
        if next(calls):
            raise KeyboardInterrupt
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(projection_session, "project", interrupted)
    command = ["project", str(show.folder), "--steps", "1", "--batch", "1"]
    assert main(command) == 130
    assert projection_path(show, "ballad-1").is_file()
    assert not projection_path(show, "ballad-2").exists()
    monkeypatch.setattr(projection_session, "project", real)
    capsys.readouterr()
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "1 ballads projected" in out and "1 ballads were up to date" in out


def test_faults_are_sentences(curating: Show, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(curating.folder)

    def fault(*words: str) -> str:
        assert main(["project", folder, "--steps", "1", *words]) == 2
        return capsys.readouterr().err

    assert "There is no ballad 'none'" in fault("--ballad", "none")
    assert "--steps and --batch must be" in fault("--steps", "0")
    assert "--restarts must be 1 or more" in fault("--restarts", "0")
    (curating.folder / "discriminator.safetensors").rename(curating.folder / "d.safetensors")
    assert "copy the one that `train` wrote" in fault()
    d = str(curating.folder / "d.safetensors")
    painting = curating.painting_path("ballad-1", 1)
    painting.write_bytes(b"garbage")
    assert "paintings[1].file" in fault("--discriminator", d)
    painting.unlink()
    assert "paintings[1].file" in fault("--discriminator", d)
    curating.generator_path.unlink()
    assert "train a generator and copy it there" in fault()


def test_a_crop_beyond_the_picture_is_refused_by_its_path(
    curating: Show, capsys: pytest.CaptureFixture[str]
) -> None:
    ballad = curating.ballads[0]
    second = ballad.paintings[1].model_copy(update={"crop": (10, 0, 8, 8)})
    paintings = (ballad.paintings[0], second)
    save_ballad(curating.folder, ballad.model_copy(update={"paintings": paintings}))
    assert main(["project", str(curating.folder)]) == 2
    error = capsys.readouterr().err
    assert "ballads/ballad-1/ballad.yaml: paintings[1].crop: [10, 0, 8, 8]" in error
    assert "16 x 16" in error


def test_the_crop_is_cut_to_its_middle_square() -> None:
    assert square_box((30, 20), None) == (5, 0, 25, 20)
    assert square_box((100, 100), (10, 20, 30, 50)) == (10, 30, 40, 60)


def test_a_target_is_upright_cropped_and_flattened(tmp_path: Path) -> None:
    show = make_curating_show(tmp_path / "show", paintings=1)
    path = show.painting_path("ballad-1", 0)
    canvas = Image.new("RGBA", (40, 20), (255, 0, 0, 255))
    canvas.paste((0, 0, 255, 0), (20, 0, 40, 20))  # the right half is clear
    canvas.save(path)
    ballad = show.ballads[0]

    def target(**words: object) -> tuple[int, ...]:
        painting: Painting = ballad.paintings[0].model_copy(update=words)
        changed = ballad.model_copy(update={"paintings": (painting,)})
        save_ballad(show.folder, changed)
        changed_show = load_show(show.folder, latents=False)
        pixels = read_target(changed_show, changed_show.ballads[0], 0, 16).pixels
        assert pixels.shape == (16, 16, 3)
        return tuple(int(value) for value in pixels[8, 8])

    assert target(crop=(0, 0, 20, 20)) == (255, 0, 0)
    assert target(crop=(20, 0, 20, 20)) == (255, 255, 255)
    assert target(crop=(20, 0, 20, 20), background="#204060") == (0x20, 0x40, 0x60)


def test_the_sheet_and_the_distance_follow_the_shows_own_way_of_drawing(curating: Show) -> None:
    command = ["project", str(curating.folder), "--steps", "5"]
    assert main(command) == 0
    first = read_projection(curating, "ballad-1")
    changed = curating.settings.model_copy(update={"noise_mode": "none", "truncation_psi": 0.5})
    save_settings(curating.folder, changed)
    assert main(command) == 0
    second = read_projection(curating, "ballad-1")
    np.testing.assert_array_equal(first.ws, second.ws)
    assert first.paintings[0]["distance_as_shown"] != second.paintings[0]["distance_as_shown"]
