"""Beginning with networks that have learned already: published, of this project, or of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from generator.checkpoint import load_safetensors
from generator.discriminator import DiscriminatorConfig
from generator.errors import CheckpointError
from generator.file_kind import kind_of
from generator.legacy.discriminators import discriminator_of
from generator.legacy.generators import generator_of_network, read_snapshot
from generator.networks import GeneratorConfig
from training.errors import TrainingError
from training.learning.run_folder import STATE_FILE, read_state
from training.learning.training_loop import Training

MOST_NAMED = 12
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Learned:
    """Weights by name. G goes on as it was, and G_ema as the mean of it that it was; D is empty
    where there is none, and discriminator_config None where it is not known."""

    path: Path
    config: GeneratorConfig
    G: Tensors
    G_ema: Tensors
    D: Tensors
    discriminator_config: DiscriminatorConfig | None

    def check_resolution(self, resolution: int, data: Path) -> None:
        """Raises TrainingError for pictures of another size."""
        own = self.config.img_resolution
        if own != resolution:
            raise TrainingError(
                f"{self.path}: it draws pictures of {own} px, and those of {data} are "
                f"{resolution} px large; prepare them with --size {own}, or begin without --resume."
            )


def read_learned(path: Path) -> Learned:
    """Of a published snapshot (G, D and G_ema, read as data), of a run folder's state, or of one
    of our generator files, which holds a G_ema alone. Raises TrainingError."""
    try:
        if path.is_dir():
            return _of_run(path / STATE_FILE)
        return _of_snapshot(path) if kind_of(path) == "pickle" else _of_generator(path)
    except CheckpointError as fault:
        raise TrainingError(f"{fault}.") from fault


def take_over(training: Training, learned: Learned, *, discriminator: bool) -> str:
    """Copy every tensor whose name and shape are there; a line for the person at the terminal says
    what was not. discriminator: whether D is among it, and has not come from elsewhere."""
    networks: list[tuple[str, nn.Module, Tensors]] = [
        ("G", training.G, learned.G),
        ("G_ema", training.G_ema, learned.G_ema),
    ]
    if discriminator and learned.D:
        networks.append(("D", training.D, learned.D))
    left_out = []
    for name, network, tensors in networks:
        without = _copied(network, tensors)
        if name != "G_ema":  # which is as G is
            left_out += [f"{name} {tensor}" for tensor in without]
    training.silence_noise()
    begun = " and ".join(name for name, _, _ in networks if name != "G_ema")
    return f"begun with {begun} of {learned.path}" + (
        f"; not taken over: {_enumerated(left_out)}" if left_out else ""
    )


def _copied(network: nn.Module, tensors: Tensors) -> list[str]:
    """The names of either side that were left out."""
    left_out = []
    own = network.state_dict()
    with torch.no_grad():
        for name in sorted(own.keys() | tensors.keys()):
            if name.endswith("resample_filter"):
                continue
            if name in own and name in tensors and own[name].shape == tensors[name].shape:
                own[name].copy_(tensors[name])
            else:
                left_out.append(name)
    return left_out


def _enumerated(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _of_snapshot(path: Path) -> Learned:
    snapshot = read_snapshot(path)
    networks = snapshot.networks
    if "G_ema" not in networks:
        raise TrainingError(f"{path}: there is no G_ema in this snapshot.")
    averaged = generator_of_network(networks["G_ema"], path)
    current = generator_of_network(networks["G"], path) if "G" in networks else averaged
    judge = discriminator_of(snapshot, path) if "D" in networks else None
    return Learned(
        path,
        averaged.config,
        current.state_dict(),
        averaged.state_dict(),
        judge.state_dict() if judge else {},
        judge.config if judge else None,
    )


def _of_generator(path: Path) -> Learned:
    generator = load_safetensors(path)
    weights = generator.state_dict()
    return Learned(path, generator.config, weights, weights, {}, None)


def _of_run(file: Path) -> Learned:
    if not file.exists():
        raise TrainingError(f"{file}: there is no state of a run in this folder.")
    state = read_state(file)
    try:
        judge = state.get("discriminator_config")
        return Learned(
            file,
            GeneratorConfig(**state["generator_config"]),  # type: ignore[arg-type]
            _tensors(state, "G"),
            _tensors(state, "G_ema"),
            _tensors(state, "D"),
            None if judge is None else DiscriminatorConfig(**judge),  # type: ignore[arg-type]
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise TrainingError(f"{file}: it is not of a training run ({fault}).") from fault


def _tensors(state: Mapping[str, object], name: str) -> Tensors:
    tensors = state[name]
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise TypeError(f"{name} must be tensors by name")
    return tensors
