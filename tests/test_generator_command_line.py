"""`python -m generator`: info, import, export, their faults, and Ctrl-C."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

import generator
import generator.conversion
from generator.__main__ import main
from generator.checkpoint import load_discriminator, save_discriminator, save_generator
from generator.discriminator import Discriminator
from generator.file_kind import kind_of
from generator.legacy.export import tensorflow_snapshot
from tests.tensorflow_files import DISCRIMINATOR, networks, randomized

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a snapshot `net.pkl`, in which we are."""
    monkeypatch.chdir(tmp_path)
    Path("net.pkl").write_bytes(tensorflow_snapshot(*networks()))
    return tmp_path


def fault(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence that a run with these words ends in."""
    before = sorted(os.listdir())
    assert main(words) == 2
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1
    assert said.err.startswith(f"generator {words[0]}: ")
    assert sorted(os.listdir()) == before, "something was written"
    return said.err


def test_help_comes_without_torch() -> None:
    program = (
        "import sys\nfrom generator.__main__ import main\n"
        "try: main(['--help'])\nfinally: print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and done.stdout.strip().endswith("[]")
    assert all(f"\n    {verb} " in done.stdout for verb in ("info", "import", "export"))


def test_a_snapshot_there_and_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    g, average, d = networks()
    assert main(["import", "net.pkl", "new/net.safetensors", "--dtype", "float32"]) == 0
    said = capsys.readouterr()
    assert not said.err and "new/net.discriminator.safetensors" in said.out
    imported = generator.load("new/net.safetensors")
    assert torch.equal(imported.mapping.w_avg, average.mapping.w_avg)
    adversary, _ = load_discriminator(Path("new/net.discriminator.safetensors"))
    assert torch.equal(adversary.b4.out.weight, d.b4.out.weight)

    assert main(["export", "new/net.safetensors", "again.pkl"]) == 0
    state = generator.load("again.pkl").state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in average.state_dict().items())
    assert main(["export", "net.pkl", "copy.pkl"]) == 0  # a snapshot brings all three itself
    assert Path("copy.pkl").read_bytes() == Path("net.pkl").read_bytes()
    assert not torch.equal(g.mapping.w_avg, average.mapping.w_avg)


def test_info_tells_the_hash_that_import_prints(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", "net.pkl", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "TensorFlow snapshot, state version 4"
    assert [network["role"] for network in told["networks"]] == ["G", "D", "G_ema"]
    average = told["networks"][2]
    assert average["num_ws"] == 6 and average["config"]["z_dim"] == 6
    assert average["parameters"] == sum(p.numel() for p in networks()[1].parameters())

    assert main(["import", "net.pkl", "net.safetensors"]) == 0
    assert told["content_hash"] in capsys.readouterr().out
    assert main(["info", "net.safetensors"]) == 0
    text = capsys.readouterr().out
    assert text.endswith(f"content hash (this file):\n{told['content_hash']}\n")
    assert "generator of this project" in text and "min(64 / size, 7)" in text
    assert main(["info", "net.discriminator.safetensors", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "discriminator of this project"
    assert told["networks"][0]["config"]["mbstd_group_size"] == 2


def test_nothing_is_replaced_without_force(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.discriminator.safetensors").write_bytes(b"mine")
    Path("b.pkl").write_bytes(b"mine")
    sentence = fault(capsys, "import", "net.pkl", "a.safetensors")
    assert "a.discriminator.safetensors: there is such a file already; --force" in sentence
    assert "b.pkl: there is such" in fault(capsys, "export", "net.pkl", "b.pkl")
    assert Path("b.pkl").read_bytes() == b"mine"
    assert main(["import", "net.pkl", "a.safetensors", "--force"]) == 0
    assert main(["export", "a.safetensors", "b.pkl", "--force"]) == 0
    assert kind_of(Path("b.pkl")) == "pickle"


def test_faults_are_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no such file" in fault(capsys, "info", "none.pkl")
    assert "must end in .safetensors" in fault(capsys, "import", "net.pkl", "net.pt")
    assert "must end in .pkl" in fault(capsys, "export", "net.pkl", "net.pt")
    assert "no regular file" in fault(capsys, "info", ".")
    main(["import", "net.pkl", "net.safetensors"])
    capsys.readouterr()
    sentence = fault(capsys, "import", "net.safetensors", "other.safetensors")
    assert "safetensors already" in sentence
    Path("net.discriminator.safetensors").unlink()
    sentence = fault(capsys, "export", "net.safetensors", "other.pkl")
    assert "no net.discriminator.safetensors or discriminator.safetensors beside it" in sentence
    assert "none.st: there is no such file" in fault(
        capsys, "export", "net.safetensors", "other.pkl", "--discriminator", "none.st"
    )


def test_a_discriminator_may_come_from_elsewhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_generator(networks()[1], Path("g.safetensors"))
    save_discriminator(networks()[2], Path("discriminator.safetensors"))
    assert main(["export", "g.safetensors", "beside.pkl"]) == 0
    words = ["export", "g.safetensors", "taken.pkl", "--discriminator", "net.pkl"]
    assert main(words) == 0
    config = DISCRIMINATOR.__class__(img_resolution=8, channel_base=64, channel_max=7)
    save_discriminator(randomized(Discriminator(config)), Path("small.safetensors"))
    capsys.readouterr()
    sentence = fault(
        capsys, "export", "g.safetensors", "misfit.pkl", "--discriminator", "small.safetensors"
    )
    assert "img_resolution=16 and the discriminator 8" in sentence


def test_numbers_beyond_float16_are_told_of(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    g, average, d = networks()
    average.synthesis.b4.const[0, 0, 0] = 1e5
    Path("big.pkl").write_bytes(tensorflow_snapshot(g, average, d))
    sentence = fault(capsys, "import", "big.pkl", "big.safetensors")
    assert "synthesis.b4.const holds a number that float16 does not" in sentence
    assert main(["import", "big.pkl", "big.safetensors", "--dtype", "bfloat16"]) == 0


def test_a_discriminator_that_is_of_no_use_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    g, average, d = networks()
    d.b4.out.bias[0] = float("inf")
    Path("odd.pkl").write_bytes(tensorflow_snapshot(g, average, d))
    assert main(["import", "odd.pkl", "odd.safetensors"]) == 0
    said = capsys.readouterr()
    assert "its discriminator is left out: odd.pkl: b4.out.bias" in said.err
    assert not Path("odd.discriminator.safetensors").exists()
    assert generator.load("odd.safetensors").img_resolution == 16


def test_ctrl_c_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generator.conversion, "save_generator", interrupted)
    assert main(["import", "net.pkl", "out.safetensors"]) == 130
    assert capsys.readouterr().err == "generator import: stopped by Ctrl-C.\n"
    assert os.listdir() == ["net.pkl"]


# Files of other programs.


def torch_file(path: Path, value: object, *, zipped: bool = True) -> None:
    torch.save(value, path, _use_new_zipfile_serialization=zipped)


def data_set(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("00000/img00000000.png", b"\x89PNG")


WEIGHTS = {"synthesis.b4.const": torch.zeros(3, 4, 4), "mapping.fc0.weight": torch.zeros(2, 2)}
ROSINALITY = {"g_ema": {"to_rgb1.bias": torch.zeros(1, 3, 1, 1), "style.1.weight": torch.zeros(2)}}
FOREIGN = {
    "empty": (lambda p: p.write_bytes(b""), "it is empty"),
    "web page": (
        lambda p: p.write_text("\n <!DOCTYPE html><title>Quota exceeded</title>"),
        "it is a web page, as of a download that failed",
    ),
    "git-lfs": (
        lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\n"),
        "run `git lfs pull`",
    ),
    "gzip": (lambda p: p.write_bytes(b"\x1f\x8b\x08\0\0\0"), "unpack it first"),
    "rosinality": (lambda p: torch_file(p, ROSINALITY), "rosinality"),
    "rosinality, old": (lambda p: torch_file(p, ROSINALITY, zipped=False), "rosinality"),
    "state_dict": (lambda p: torch_file(p, WEIGHTS), "bare weights (a state_dict)"),
    "state_dict, old": (lambda p: torch_file(p, WEIGHTS, zipped=False), "bare weights"),
    "torch.save": (lambda p: torch_file(p, [1]), "a torch.save file and not a snapshot"),
    "data set": (data_set, "a zip archive, perhaps a data set"),
    "text": (lambda p: p.write_text("hello, this is no network at all"), "not a readable"),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("file", ["net.pkl", "net.pt", "net.safetensors"])
def test_other_files_are_named(
    name: str,
    file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write, reason = FOREIGN[name]
    write(Path(file))
    assert reason in fault(capsys, "info", file)


def test_the_kind_is_told_from_the_content(folder: Path) -> None:
    Path("net.pkl").rename("snapshot.of.ours")
    assert generator.load("snapshot.of.ours").img_resolution == 16
    save_generator(networks()[0], Path("generator.pkl"))
    assert generator.load("generator.pkl").img_resolution == 16


@pytest.mark.parametrize("length", [0x0280, 0x0480, 0x80])
def test_a_header_s_length_is_not_taken_for_a_pickle(length: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(length.to_bytes(8, "little") + b'{"__metadata__"')
    assert kind_of(path) == "safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b"\x00" * 8)
    assert kind_of(path) == "pickle"
