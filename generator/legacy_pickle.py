"""Published StyleGAN2-ADA PyTorch snapshots (.pkl), read as data.

Such a file is a Python pickle of {G, D, G_ema, ...} whose networks carry program text and whose
tensors hold storages in torch's old, non-zip format. Nothing of it is imported or executed: the
stream runs on `generator.pickle_machine` with the few words below, and numpy reads the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from generator.legacy_numbers import (
    Array,
    Budget,
    parameter,
    scalar,
    scalar_type,
    set_byte_order,
    storage_of,
    tensor,
)
from generator.pickle_machine import (
    PickleDataError,
    Symbol,
    Vocabulary,
    printable,
    refuse_symbol,
    run_pickle,
)

MAX_FILE_BYTES = 4 * 2**30  # the largest published snapshot has 0.4 GB
MAX_MODULE_DEPTH = 16  # Generator > SynthesisNetwork > SynthesisBlock > SynthesisLayer > FC
MAX_NAMES = 20_000  # modules and tensors of one network, or entries of its arguments
NETWORK_KEYS = ("G", "D", "G_ema")
NETWORK_CLASSES = frozenset({
    "Generator", "MappingNetwork", "SynthesisNetwork", "SynthesisBlock", "SynthesisLayer",
    "ToRGBLayer", "FullyConnectedLayer", "Discriminator", "DiscriminatorBlock",
    "DiscriminatorEpilogue", "MinibatchStdLayer", "Conv2dLayer",
})  # fmt: skip


class LegacyPickleError(Exception):
    """A snapshot cannot be read; the text names the file, the reason and, if known, a way out."""


@dataclass(frozen=True)
class LegacyNetwork:
    """One network: its class, its constructor's keyword arguments, its parameters and buffers."""

    class_name: str
    init_kwargs: dict[str, Any]  # plain Python values, nested dicts included
    tensors: dict[str, Array]  # by dotted name, as in `synthesis.b4.conv1.weight`


@dataclass(frozen=True)
class LegacySnapshot:
    """The networks of a snapshot by its own keys: G_ema always, G and D where the file has them."""

    networks: Mapping[str, LegacyNetwork]


def read_legacy_pickle(path: str | Path) -> LegacySnapshot:
    """Read a published StyleGAN2-ADA PyTorch snapshot without executing anything of it.

    Time and memory are bounded by the size of the file. Raises LegacyPickleError for a file that
    is missing, broken, of another kind, or asks for anything but the parts of such a snapshot.
    """
    path = Path(path)
    try:
        data = _read_bytes(path)
        root, end_byte = run_pickle(data, _snapshot_words(len(data)))
        if end_byte != len(data):
            raise PickleDataError(f"{len(data) - end_byte} bytes follow its end")
        return LegacySnapshot(MappingProxyType(_networks(root)))
    except PickleDataError as error:
        raise LegacyPickleError(
            f"{path} cannot be read as a StyleGAN2-ADA PyTorch snapshot: {error}."
        ) from error


def _read_bytes(path: Path) -> memoryview:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PickleDataError(error.strerror or type(error).__name__) from error
    if len(data) > MAX_FILE_BYTES:
        raise PickleDataError(f"it is larger than {MAX_FILE_BYTES} bytes")
    if not data:
        raise PickleDataError("it is empty")
    if data.startswith(b"PK"):
        raise PickleDataError(
            "it is a zip archive, as of torch.save or a data set, and not a pickle"
        )
    if data[0] != 0x80:
        raise PickleDataError("it is not a pickle of protocol 2 or later")
    return memoryview(data)


@dataclass(frozen=True)
class _StoredObject:
    """A network or augmentation pipe as stored: class and attributes; its program text is gone."""

    class_name: str
    attributes: dict[object, object]


def _snapshot_words(file_bytes: int) -> Vocabulary:
    tensors, storages = Budget(file_bytes), Budget(file_bytes)
    calls = {
        Symbol("torch_utils.persistence", "_reconstruct_persistent_obj"): _stored_object,
        Symbol("dnnlib.util", "EasyDict"): _empty_dict,
        Symbol("dnnlib", "EasyDict"): _empty_dict,
        Symbol("collections", "OrderedDict"): _empty_dict,
        Symbol("builtins", "set"): _set_of_list,
        Symbol("torch._utils", "_rebuild_parameter"): parameter,
        Symbol("torch._utils", "_rebuild_tensor_v2"): lambda a: tensor(a, tensors),
        Symbol("torch.storage", "_load_from_bytes"): lambda a: storage_of(a, storages),
        Symbol("numpy", "dtype"): scalar_type,
        Symbol("numpy.core.multiarray", "scalar"): scalar,
        Symbol("numpy._core.multiarray", "scalar"): scalar,
    }
    return Vocabulary(calls=calls, build=set_byte_order, refusal=_refusal)


def _refusal(symbol: Symbol) -> str:
    if symbol.module.startswith("dnnlib.tflib") or symbol == Symbol("network", "Network"):
        return (
            f"it is a pickle of the TensorFlow implementation ({symbol}), which this version does "
            "not yet read; use a snapshot of the PyTorch implementation (stylegan2-ada-pytorch)"
        )
    return refuse_symbol(symbol) + ", and nothing of it was executed"


# The words of a snapshot.


def _stored_object(arguments: tuple[object, ...]) -> _StoredObject:
    record = arguments[0] if len(arguments) == 1 else None
    if type(record) is not dict:
        raise PickleDataError("it stores an object in an unknown way")
    kind, version = record.get("type"), record.get("version")
    if not (isinstance(kind, str) and isinstance(version, int)) or kind != "class" or version != 6:
        raise PickleDataError("it stores an object in a version other than 6")
    class_name, attributes = record.get("class_name"), record.get("state")
    if not isinstance(class_name, str) or type(attributes) is not dict:
        raise PickleDataError("it stores an object without a class name or a state")
    return _StoredObject(class_name, attributes)


def _empty_dict(arguments: tuple[object, ...]) -> dict[object, object]:
    if arguments:
        raise PickleDataError("it makes a dict in an unknown way")
    return {}


def _set_of_list(arguments: tuple[object, ...]) -> set[str]:
    items = arguments[0] if len(arguments) == 1 else None
    if type(items) is not list or not all(isinstance(item, str) for item in items):
        raise PickleDataError("it makes a set of something else than texts")
    return set(items)


# From what was stored to networks.


def _networks(root: object) -> dict[str, LegacyNetwork]:
    if type(root) is not dict or root.get("G_ema") is None:
        raise PickleDataError("it is no snapshot: it has no network named G_ema")
    return {key: _network(key, root[key]) for key in NETWORK_KEYS if root.get(key) is not None}


def _network(key: str, stored: object) -> LegacyNetwork:
    expected = "Discriminator" if key == "D" else "Generator"
    if not isinstance(stored, _StoredObject) or stored.class_name != expected:
        raise PickleDataError(f"its {key} is no {expected}")
    positional = stored.attributes.get("_init_args", ())
    if type(positional) is not tuple or positional:
        raise PickleDataError(f"its {key} was made with arguments without names")
    kwargs = _Plain().of(stored.attributes.get("_init_kwargs"), 0)
    if not isinstance(kwargs, dict) or not all(isinstance(name, str) for name in kwargs):
        raise PickleDataError(f"its {key} does not say how it was made")
    gatherer = _Gatherer()
    gatherer.gather(stored, "", 0)
    return LegacyNetwork(stored.class_name, kwargs, gatherer.tensors)


class _Plain:
    """Copies arguments as plain values. Counts, since references can unfold without end."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, value: object, depth: int) -> object:
        self.count += 1
        if self.count > MAX_NAMES or depth > MAX_MODULE_DEPTH:
            raise PickleDataError("its networks' arguments are nested without end")
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if type(value) is dict:
            return {name: self.of(item, depth + 1) for name, item in value.items()}
        if type(value) is list:
            return [self.of(item, depth + 1) for item in value]
        if type(value) is tuple:
            return tuple(self.of(item, depth + 1) for item in value)
        raise PickleDataError("its networks' arguments are no plain values")


class _Gatherer:
    def __init__(self) -> None:
        self.tensors: dict[str, Array] = {}
        self.count = 0

    def gather(self, stored: object, prefix: str, depth: int) -> None:
        if not isinstance(stored, _StoredObject):
            raise PickleDataError(f"its module '{printable(prefix)}' is no network")
        if stored.class_name not in NETWORK_CLASSES:
            raise PickleDataError(
                f"it holds a layer of the class '{printable(stored.class_name)}', "
                "which StyleGAN2-ADA does not have"
            )
        self.tick(depth)
        for kind in ("_parameters", "_buffers"):
            for name, array in _named(stored, kind):
                self.tick(depth)
                if array is None:  # how torch registers an absent bias
                    continue
                if not isinstance(array, np.ndarray):
                    raise PickleDataError(f"its '{printable(prefix + name)}' is no tensor")
                self.tensors[prefix + name] = array
        for name, module in _named(stored, "_modules"):
            self.gather(module, f"{prefix}{name}.", depth + 1)

    def tick(self, depth: int) -> None:
        self.count += 1
        if self.count > MAX_NAMES or depth > MAX_MODULE_DEPTH:
            raise PickleDataError("its modules are nested without end")


def _named(stored: _StoredObject, kind: str) -> list[tuple[str, object]]:
    owner = printable(stored.class_name)
    entries = stored.attributes.get(kind)
    if type(entries) is not dict:
        raise PickleDataError(f"a {owner} of it has no {kind}")
    named: list[tuple[str, object]] = []
    for name, value in entries.items():
        if not isinstance(name, str) or not 0 < len(name) <= 100 or "." in name:
            raise PickleDataError(f"a {owner} of it has an entry without a name")
        named.append((name, value))
    return named
