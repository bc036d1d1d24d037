"""Every array of the reference numbers is compared in a test, or is what one is made from.

Run with `pytest -rP tests/test_golden_coverage.py` to see each array and who compares it.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from tests import golden
from tests.golden import CLAIMS, golden_arrays, golden_folder, matching

# what the comparisons are made from
GENERATOR_INPUTS = ("z", "c", "truncation", "seeds")
DISCRIMINATOR_INPUTS = ("images_u8", "c", "perm")
INPUTS: dict[str, tuple[str, ...]] = {
    "generator.npz": GENERATOR_INPUTS,
    "generator_cond.npz": GENERATOR_INPUTS,
    "generator_fp16.npz": GENERATOR_INPUTS,
    "generator_tf.npz": GENERATOR_INPUTS,
    "discriminator.npz": DISCRIMINATOR_INPUTS,
    "discriminator_cond.npz": DISCRIMINATOR_INPUTS,
    "discriminator_fp16.npz": DISCRIMINATOR_INPUTS,
    "discriminator_tf.npz": DISCRIMINATOR_INPUTS,
    "ops.npz": ("cases_json", "*_in_*", "*_dy"),
    "loss.npz": ("real_u8", "z", "pl_noise", "mix_z2", "mix_cutoff", "params"),
    "projector.npz": ("target_u8", "traj_num_steps", "traj_w_noise", "noise_init/*"),
    "augment.npz": ("images_*", "percentiles", "*_dy"),
}
TESTS = (
    "test_augment_golden",
    "test_discriminator",
    "test_generator_golden",
    "test_losses",
    "test_operators",
    "test_projection",
)


def compared(file: str) -> dict[str, list[str]]:
    """The tests that compare each array of a file."""
    for test in TESTS:
        importlib.import_module(f"tests.{test}")
    names = golden_arrays(file)
    tests: dict[str, list[str]] = defaultdict(list)
    for claim in CLAIMS:
        for test, claimed_file, patterns in claim.filled():
            if claimed_file == file:
                for name in matching(names, patterns):
                    tests[name].append(test)
    return tests


def test_every_file_of_the_folder_is_known() -> None:
    assert {path.name for path in golden_folder().glob("*.npz")} == set(INPUTS)


@pytest.mark.parametrize("file", INPUTS)
def test_every_array_is_an_input_or_compared(file: str) -> None:
    names, tests = golden_arrays(file), compared(file)
    inputs = set(matching(names, INPUTS[file]))
    left_out = []
    for name in names:
        if name in inputs:
            print(f"{file} {name}: an input")
        elif name in tests:
            print(f"{file} {name}: {', '.join(tests[name])}")
        else:
            left_out.append(name)
    assert not left_out, f"nobody compares {left_out} of {file}"
    assert not inputs & set(tests), "an input is claimed as compared"


def test_a_claim_that_is_not_kept_fails_its_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    np.savez(tmp_path / "file.npz", a=np.ones(2), b=np.ones(2))
    monkeypatch.setenv("GOLDEN_DIR", str(tmp_path))
    monkeypatch.setattr(golden, "CLAIMS", [])

    @golden.compares("file.npz", "a", "b")
    def half() -> None:
        golden.met("file.npz", "a", [1.0, 1.0])

    @golden.compares("file.npz", "c*")
    def nothing() -> None:
        pass

    with pytest.raises(AssertionError, match=r"not compared, though claimed: \['b'\]"):
        half()
    with pytest.raises(AssertionError, match="match nothing"):
        nothing()
    with pytest.raises(AssertionError, match=r"b: .* is too far"):
        golden.met("file.npz", "b", [1.0, 1.1], of_max=0.05)
    with pytest.raises(AssertionError, match=r"b is \(3,\), not \(2,\)"):
        golden.met("file.npz", "b", [1.0, 1.0, 1.0])
