from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from shows.generator_file import GeneratorInfo, playable_file, read_generator_info
from shows.schema import ShowError
from tests.tiny_show import write_fake_generator

CONFIG = {"z_dim": 8, "c_dim": 0, "w_dim": 8, "img_resolution": 64, "img_channels": 3}


def write(path: Path, config: Any = CONFIG, **metadata: str) -> None:
    metadata = {
        "format": "inspace-generator-1",
        "config": config if isinstance(config, str) else json.dumps(config),
        "content_hash": "ab12",
        **metadata,
    }
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3, np.float16)}, metadata=metadata))


def test_what_the_header_says(tmp_path: Path) -> None:
    path = tmp_path / "generator.safetensors"
    write(path)
    assert read_generator_info(path) == GeneratorInfo(64, 3, 8, 8, 10, "ab12")


@pytest.mark.parametrize(
    ("num_ws", "resolution"), [(2, 4), (4, 8), (6, 16), (10, 64), (16, 512), (18, 1024)]
)
def test_num_ws_of_a_resolution(tmp_path: Path, num_ws: int, resolution: int) -> None:
    write_fake_generator(tmp_path / "g", num_ws=num_ws)
    info = read_generator_info(tmp_path / "g")
    assert (info.num_ws, info.img_resolution) == (num_ws, resolution)


@pytest.mark.parametrize(
    ("config", "metadata", "fault"),
    [
        (CONFIG, {"format": "pickle"}, "its format is 'pickle'"),
        (CONFIG, {"content_hash": ""}, "content_hash: is missing"),
        ("{", {}, "config: is not JSON"),
        ("[" * 100_000, {}, "config: is not JSON"),
        ([1], {}, "config: must be a mapping"),
        ({**CONFIG, "w_dim": "8"}, {}, "config.w_dim: must be a whole number"),
        ({**CONFIG, "w_dim": True}, {}, "config.w_dim: must be a whole number"),
        ({**CONFIG, "z_dim": 0}, {}, "config.z_dim: must be"),
        ({**CONFIG, "img_resolution": 48}, {}, "config.img_resolution: must be a power of two"),
        ({**CONFIG, "img_resolution": 10**30}, {}, "config.img_resolution: must be"),
    ],
)
def test_broken_metadata(tmp_path: Path, config: Any, metadata: dict[str, str], fault: str) -> None:
    write(tmp_path / "g.safetensors", config, **metadata)
    with pytest.raises(ShowError) as caught:
        read_generator_info(tmp_path / "g.safetensors")
    assert str(caught.value).startswith("g.safetensors") and fault in str(caught.value)


def entry(begin: object, end: object) -> dict[str, object]:
    return {"dtype": "F32", "shape": [1], "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05\0\0",
        b"\xff" * 64,
        (10**15).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{\xff",
        (4).to_bytes(8, "little") + b"{}",
        *(
            len(header).to_bytes(8, "little") + header
            for header in (
                b"[" * 100_000,
                b'{"a": 1}',
                b'{"__metadata__": {"format": 1}}',
                b'{"__metadata__": []}',
                json.dumps({"a": entry(0, 4)}).encode(),
                json.dumps({"a": entry(0, "4")}).encode(),
                json.dumps({"a": entry(-4, 0)}).encode(),
                json.dumps({"a": {"dtype": "F32"}}).encode(),
                json.dumps({"a": {**entry(0, 0), "shape": 3}}).encode(),
            )
        ),
    ],
)
def test_garbage_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "g.safetensors"
    path.write_bytes(content)
    with pytest.raises(ShowError, match=r"^g\.safetensors .*\.$"):
        read_generator_info(path)


def test_a_truncated_or_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    write(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ShowError, match="copy it again"):
        read_generator_info(path)
    with pytest.raises(ShowError, match="none is missing: put a generator there"):
        read_generator_info(tmp_path / "none")


def test_a_snapshot_is_not_read_but_what_was_made_of_it(tmp_path: Path) -> None:
    snapshot = tmp_path / "generator.pkl"
    snapshot.write_bytes(b"never looked at")
    path = playable_file(snapshot)
    assert path == tmp_path / "generator.safetensors" == playable_file(path)
    with pytest.raises(ShowError, match=r"made of generator\.pkl once: run `python -m gener"):
        read_generator_info(path)
    write(path)
    assert read_generator_info(path).content_hash == "ab12"
