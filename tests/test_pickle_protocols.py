"""The reference's PyTorch snapshots, written again by Python's pickle in every protocol."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from generator.legacy.reader import read_legacy_bytes
from tests.golden import golden_folder


class Stored:
    """A network as the published classes store it: one call on a dict of what it is."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    def __reduce__(self) -> tuple[Any, ...]:
        return _reconstruct_persistent_obj, (self.record,)


def _reconstruct_persistent_obj(record: dict[str, Any]) -> Stored:
    return Stored(record)


class EasyDict(dict[str, Any]):
    pass


STAND_INS = {"torch_utils.persistence": _reconstruct_persistent_obj, "dnnlib.util": EasyDict}


@pytest.fixture
def _published_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, thing in STAND_INS.items():
        module = ModuleType(name)
        setattr(module, thing.__name__, thing)
        monkeypatch.setattr(thing, "__module__", name)
        monkeypatch.setitem(sys.modules, name.partition(".")[0], ModuleType("package"))
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["g_torch_cond.pkl", "g_torch_fp16.pkl"])
@pytest.mark.usefixtures("_published_modules")
def test_every_protocol_gives_the_same_networks(name: str, protocol: int) -> None:
    data = (golden_folder() / name).read_bytes()
    wanted = read_legacy_bytes(data, name)
    again = pickle.dumps(pickle.loads(data), protocol)  # noqa: S301
    got = read_legacy_bytes(again, name)
    assert again[1] == protocol and got.kind == wanted.kind == "PyTorch snapshot"
    for role, network in wanted.networks.items():
        assert got.networks[role].init_kwargs == network.init_kwargs
        assert got.networks[role].tensors.keys() == network.tensors.keys()
        for key, array in network.tensors.items():
            np.testing.assert_array_equal(got.networks[role].tensors[key], array)
