"""Files of both networks: there and back, and every fault a sentence that costs no memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
import safetensors.torch
import torch
from torch import Tensor

import generator
from generator.checkpoint import (
    DISCRIMINATOR_FORMAT,
    FORMAT,
    CheckpointError,
    build,
    content_hash,
    load_discriminator,
    load_safetensors,
    save_discriminator,
    save_generator,
)
from generator.discriminator import Discriminator, DiscriminatorConfig
from generator.networks import Generator, GeneratorConfig
from generator.sizes_only import SizesOnly

pytestmark = pytest.mark.usefixtures("one_torch_thread")

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "shows" / "inspace"


def tiny_generator() -> Generator:
    torch.manual_seed(0)
    return Generator(GeneratorConfig(8, 0, 8, 8, 3, 64, 4, 2)).eval().requires_grad_(False)


def tiny_discriminator(**words: Any) -> Discriminator:
    torch.manual_seed(0)
    config = DiscriminatorConfig(img_resolution=16, channel_base=128, channel_max=12, **words)
    return Discriminator(config).eval().requires_grad_(False)


@dataclass(frozen=True)
class Kind:
    """How either network is made, written and read."""

    form: str
    make: Callable[[], Any]
    save: Callable[..., str]
    load: Callable[[Path], Any]


KINDS = {
    "generator": Kind(FORMAT, tiny_generator, save_generator, load_safetensors),
    "discriminator": Kind(
        DISCRIMINATOR_FORMAT,
        tiny_discriminator,
        save_discriminator,
        lambda path: load_discriminator(path)[0],
    ),
}
BOTH = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    first, second = a.state_dict(), b.state_dict()
    return list(first) == list(second) and all(torch.equal(first[n], second[n]) for n in first)


@BOTH
def test_a_saved_network_is_read_back(kind: Kind, tmp_path: Path) -> None:
    net = kind.make()
    path = tmp_path / "new folder" / "net.safetensors"
    digest = kind.save(net, path, torch.float32)
    read = kind.load(path)
    assert read.config == net.config and same(read, net)
    assert not read.training and not any(p.requires_grad for p in read.parameters())
    assert digest == content_hash(net.config.to_dict(), net.state_dict())
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    kind.save(net, path)  # half precision, over the old one
    half = kind.load(path)
    assert all(t.dtype == torch.float32 for t in half.state_dict().values())
    assert same(half, kind.make().half().float())


def test_every_argument_of_a_discriminator_is_kept(tmp_path: Path) -> None:
    words = {
        "architecture": "skip", "conv_clamp": 256.0, "c_dim": 3, "cmap_dim": 7,
        "num_mapping_layers": 2, "layer_features": 5, "embed_features": 6, "lr_multiplier": 0.1,
        "mbstd_group_size": None, "mbstd_num_channels": 2,
    }  # fmt: skip
    net = tiny_discriminator(**words)
    digest = save_discriminator(net, tmp_path / "d.safetensors", torch.float32)
    read, read_digest = load_discriminator(tmp_path / "d.safetensors")
    images, c = torch.rand(4, 3, 16, 16), torch.eye(3)[[0, 1, 2, 0]]
    assert read.config == net.config and read_digest == digest
    assert torch.equal(read(images, c), net(images, c))


def test_a_file_from_before_there_was_a_choice_has_the_hash_it_had(tmp_path: Path) -> None:
    config = {
        "img_resolution": 16, "img_channels": 3, "channel_base": 128, "channel_max": 12,
        "mbstd_group_size": 4,
    }  # fmt: skip
    net = tiny_discriminator()
    path = tmp_path / "d.safetensors"
    write(path, config, net.state_dict())
    read, digest = load_discriminator(path)
    assert same(read, net)
    assert save_discriminator(read, path, torch.float32) == digest


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="the shipped show is not there")
def test_the_shipped_files_are_read_with_their_hashes() -> None:
    assert load_safetensors(SHIPPED / "generator.safetensors").img_resolution == 64
    net, digest = load_discriminator(SHIPPED / "discriminator.safetensors")
    assert net.config.img_resolution == 64 and len(digest) == 64


@BOTH
@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e6])
def test_weights_that_are_not_finite_are_not_written(
    kind: Kind, number: float, tmp_path: Path
) -> None:
    net = kind.make()
    name, first = next(iter(net.state_dict().items()))
    first.view(-1)[0] = number  # a million is more than half precision has
    path = tmp_path / "net.safetensors"
    with pytest.raises(CheckpointError, match=f"{name} holds a number that is not finite"):
        kind.save(net, path)
    assert not path.exists()


def write(path: Path, config: object, tensors: dict[str, Tensor], **metadata: str) -> None:
    """A file in our format, whatever is in it, with a hash that fits."""
    text = config if isinstance(config, str) else json.dumps(config)
    known = json.loads(text) if isinstance(config, dict) else {}
    metadata = {
        "format": DISCRIMINATOR_FORMAT,
        "config": text,
        "content_hash": content_hash(known, tensors),
        **metadata,
    }
    path.write_bytes(safetensors.torch.save(tensors, metadata))


CONFIG_FAULTS: dict[str, tuple[object, str]] = {
    "memory": ({"img_resolution": 2**30}, "img_resolution cannot be 1073741824"),
    "much": ({"img_resolution": 2**14, "channel_base": 2**20, "channel_max": 2**16}, "lacks"),
    "layers": ({"c_dim": 1, "num_mapping_layers": 10**9}, "num_mapping_layers cannot be"),
    "negative": ({"channel_max": -1}, "channel_max cannot be -1"),
    "zero": ({"channel_base": 0}, "channel_base cannot be 0"),
    "no channels": ({"channel_base": 1}, "unusable"),
    "size": ({"img_resolution": 48}, "power of two"),
    "text": ({"img_resolution": "64"}, "img_resolution cannot be '64'"),
    "truth": ({"img_channels": True}, "img_channels cannot be True"),
    "fraction": ({"img_channels": 3.0}, "img_channels cannot be 3.0"),
    "nothing": ({"channel_max": None}, "channel_max cannot be None"),
    "list": ({"architecture": ["skip"]}, r"architecture cannot be \['skip'\]"),
    "architecture": ({"architecture": "unet"}, "architecture cannot be 'unet'"),
    "no number": ('{"conv_clamp": NaN}', "what should be JSON is not"),
    "infinite": ('{"conv_clamp": 1e999}', "conv_clamp cannot be inf"),
    "unknown": ({"wings": 2}, "wings is not known"),
    "not a mapping": ("[1]", "no mapping"),
    "not JSON": ("{", "what should be JSON is not"),
    "deep": ("[" * 100_000, "what should be JSON is not"),
}


@pytest.mark.parametrize("fault", CONFIG_FAULTS)
def test_a_configuration_out_of_bounds_is_a_sentence(fault: str, tmp_path: Path) -> None:
    config, reason = CONFIG_FAULTS[fault]
    path = tmp_path / "d.safetensors"
    raw = (
        config if isinstance(config, dict) else json.loads(config) if "1e999" in str(config) else {}
    )
    digest = content_hash(raw, {"a": torch.zeros(3)})
    write(path, config, {"a": torch.zeros(3)}, content_hash=digest)
    assert_refused(path, reason)


def assert_refused(path: Path, reason: str, most_bytes: int = 1 << 20) -> None:
    """One line that names file and reason, and no memory beyond a small network's names."""
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=reason) as caught:
            load_discriminator(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    sentence = str(caught.value)
    assert sentence.startswith(str(path)) and sentence.isprintable() and len(sentence) <= 6000
    assert peak < 4 * path.stat().st_size + most_bytes


TENSORS = {"a": torch.arange(4.0), "b": torch.ones(2, 3)}


def test_tensors_that_do_not_fit_the_network_are_named(tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    net = tiny_discriminator()
    config, tensors = net.config.to_dict(), dict(net.state_dict())
    write(path, config, tensors | {"b4.extra": torch.zeros(1)})
    assert_refused(path, "has unknown b4.extra")
    write(path, config, {n: t for n, t in tensors.items() if n != "b4.out.bias"})
    assert_refused(path, "lacks b4.out.bias")
    write(path, config, tensors | {"b4.out.bias": torch.zeros(2)})
    assert_refused(path, r"misfits: b4.out.bias is \[2\], not \[1\]")
    write(path, config, tensors | {"b4.out.bias": torch.tensor([float("nan")])})
    assert_refused(path, "b4.out.bias holds a number that is not finite")
    write(path, config, tensors | {"b4.out.bias": torch.zeros(1, dtype=torch.int64)})
    assert_refused(path, "b4.out.bias is of the type 'I64'")
    write(path, config, tensors, content_hash="0" * 64)
    assert_refused(path, "the content hash does not match; the file is damaged")
    write(path, config, tensors, format=FORMAT)
    assert_refused(path, "not a discriminator of this project")


def header_file(header: object, body: bytes = b"\0" * 16) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(dtype: object = "F32", shape: object = (4,), offsets: object = (0, 16)) -> object:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


HEADER_FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "ends before its header"),
    "short": (b"\x05\0\0", "ends before its header"),
    "cut": (header_file(entry())[:20], "ends before its header"),
    "endless": (b"\xff" * 64, "ends before its header"),
    "huge": (header_file(b" " * (5 << 20)), "its header has more than"),
    "not JSON": (header_file(b"{"), "what should be JSON is not"),
    "not UTF-8": (header_file(b'{"\xff": 1}'), "what should be JSON is not"),
    "deep": (header_file(b"[" * 100_000), "what should be JSON is not"),
    "long number": (header_file(b"9" * 100_000), "what should be JSON is not"),
    "no number": (header_file(b'{"a": NaN}'), "what should be JSON is not"),
    "list": (header_file([]), "its header is no mapping"),
    "no description": (header_file({"a": 3}), "without a name or a description"),
    "no name": (header_file({"": entry()}), "without a name or a description"),
    "endless name": (header_file({"a" * 10_000: entry()}), "without a name or a description"),
    "metadata": (header_file({"__metadata__": []}), "its metadata are no texts"),
    "metadata's value": (header_file({"__metadata__": {"format": 1}}), "its metadata are no texts"),
    "type": (header_file(entry("I64", (2,))), "a is of the type 'I64'"),
    "bool": (header_file(entry("BOOL", (16,))), "a is of the type 'BOOL'"),
    "no type": (header_file(entry(["F32"])), "a is of the type"),
    "no shape": (header_file(entry(shape=3)), "a has no usable shape"),
    "negative shape": (header_file(entry(shape=(-4,))), "a has no usable shape"),
    "fractional shape": (header_file(entry(shape=(4.0,))), "a has no usable shape"),
    "many axes": (header_file(entry(shape=(1,) * 60 + (4,))), "a has no usable shape"),
    "empty shape": (header_file(entry(shape=(0,), offsets=(0, 0))), "a has no usable shape"),
    "no offsets": (header_file(entry(offsets=None)), "a has no usable offsets"),
    "one offset": (header_file(entry(offsets=(16,))), "a has no usable offsets"),
    "negative offset": (header_file(entry(offsets=(-16, 0))), "a has no usable offsets"),
    "truth": (header_file(entry(offsets=(False, 16))), "a has no usable offsets"),
    "backwards": (header_file(entry(offsets=(16, 0))), "a does not fill the bytes it claims"),
    "lying size": (header_file(entry(shape=(2**40,))), "a does not fill the bytes it claims"),
    "overflow": (header_file(entry(shape=(2**62, 4))), "a does not fill the bytes it claims"),
    "beyond": (header_file(entry(shape=(2**20,), offsets=(0, 2**22))), "it brings 16"),
    "hole": (header_file(entry(shape=(2,), offsets=(8, 16))), "does not begin where"),
    "rest": (header_file(entry(shape=(2,), offsets=(0, 8))), "need 8 bytes, and it brings 16"),
    "overlap": (
        header_file({"a": entry()["a"], "b": entry()["a"]}),  # type: ignore[index]
        "b does not begin where the tensor before it ends",
    ),
    "nothing of ours": (header_file(entry()), "not a discriminator of this project"),
    "control": (header_file({"\x1b[2J": entry()}), "without a|is of the type"),
}  # fmt: skip


@pytest.mark.parametrize("fault", HEADER_FAULTS)
def test_a_header_that_lies_is_a_sentence(fault: str, tmp_path: Path) -> None:
    content, reason = HEADER_FAULTS[fault]
    path = tmp_path / "d.safetensors"
    path.write_bytes(content)
    assert_refused(path, reason, most_bytes=4 << 20)


@hypothesis.settings(max_examples=300, deadline=None, derandomize=True)
@hypothesis.given(data=st.data())
def test_a_changed_file_is_refused_or_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path, changed = folder / "whole.safetensors", folder / "changed.safetensors"
    if not path.exists():
        save_discriminator(tiny_discriminator(), path)
    raw = bytearray(path.read_bytes())
    header_bytes = 8 + int.from_bytes(raw[:8], "little")
    place = data.draw(st.integers(0, header_bytes) | st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(["set", "cut", "insert", "repeat"])):
        case "set":
            raw[place] = data.draw(st.integers(0, 255))
        case "cut":
            del raw[place : place + data.draw(st.integers(1, len(raw)))]
        case "insert":
            raw[place:place] = data.draw(st.binary(min_size=1, max_size=9))
        case "repeat":
            raw[place:place] = raw[place : place + data.draw(st.integers(1, 99))]
    changed.write_bytes(raw)
    try:
        net, digest = load_discriminator(changed)
    except CheckpointError:
        return
    # white space, or a number written otherwise: what is read is what was written
    whole, whole_digest = load_discriminator(path)
    assert same(net, whole) and digest == whole_digest


def test_a_file_that_is_not_there_and_one_that_is_none(tmp_path: Path) -> None:
    for load in (load_discriminator, load_safetensors, generator.load):
        with pytest.raises(CheckpointError, match="there is no such file"):
            load(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match=r"cannot be read|no regular file"):
        load_discriminator(tmp_path)


def test_a_network_takes_copies_of_the_tensors_it_is_built_from(tmp_path: Path) -> None:
    net = tiny_generator()
    tensors = dict(net.state_dict())
    built = build(net.config, tensors, tmp_path / "net.pkl")
    for tensor in tensors.values():
        tensor.zero_()
    assert same(built, tiny_generator())


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
def test_sizes_alone_are_those_of_the_network_and_take_no_memory(kind: str) -> None:
    make: Callable[[], torch.nn.Module] = {
        "generator": lambda: Generator(GeneratorConfig(8, 2, 8, 16, 3, 64, 4, 2)),
        "discriminator": lambda: tiny_discriminator(architecture="skip", c_dim=2),
    }[kind]
    with SizesOnly():
        sizes = make().state_dict()
    wanted = make().state_dict()
    assert {n: t.shape for n, t in sizes.items()} == {n: t.shape for n, t in wanted.items()}
    assert all(t.is_meta for n, t in sizes.items() if not n.endswith("resample_filter"))


def test_a_generator_is_read_without_torchs_slow_imports(tmp_path: Path) -> None:
    """They would cost seconds at the start of every show."""
    path = tmp_path / "g.safetensors"
    save_generator(tiny_generator(), path)
    program = (
        "import sys, torch, generator.checkpoint as c; from pathlib import Path; "
        f"n = set(sys.modules); c.load_safetensors(Path({str(path)!r})); "
        "print(*set(sys.modules) - n)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) < 20, done.stdout
