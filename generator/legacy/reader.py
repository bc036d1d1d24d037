"""Published StyleGAN2 and StyleGAN2-ADA snapshots (.pkl), read as data.

The PyTorch implementation writes a Python pickle of {G, D, G_ema, ...} whose networks carry program
text and whose tensors hold storages in torch's old, non-zip format; that of TensorFlow is in
`generator.legacy.tensorflow_words`. Nothing of a file is imported or executed: the stream runs on
`generator.legacy.pickle_machine` with the few words below, and numpy reads the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from generator.file_kind import HEAD_BYTES, foreign_kind, looks_like_pickle
from generator.legacy.numpy_arrays import NDARRAY, NumpyWords
from generator.legacy.pickle_machine import (
    PickleDataError,
    Symbol,
    Vocabulary,
    printable,
    refuse_symbol,
    run_pickle,
)
from generator.legacy.snapshot import (
    MAX_MODULE_DEPTH,
    MAX_NAMES,
    LegacyNetwork,
    LegacySnapshot,
    plain_arguments,
)
from generator.legacy.tensorflow_words import (
    NETWORK,
    StoredNetwork,
    networks_of,
    set_network,
    stored_network,
)
from generator.legacy.torch_numbers import (
    Array,
    Budget,
    Storages,
    parameter,
    tensor,
)
from generator.regular_file import UnreadableFileError, read_regular_file

MAX_FILE_BYTES = 2 * 2**30  # the largest published snapshot has 0.4 GB
NETWORK_KEYS = ("G", "D", "G_ema")
_NAMES_OF_WEIGHTS = ("synthesis.b4.const", "mapping.fc0.weight")
NETWORK_CLASSES = frozenset({
    "Generator", "MappingNetwork", "SynthesisNetwork", "SynthesisBlock", "SynthesisLayer",
    "ToRGBLayer", "FullyConnectedLayer", "Discriminator", "DiscriminatorBlock",
    "DiscriminatorEpilogue", "MinibatchStdLayer", "Conv2dLayer",
})  # fmt: skip


class LegacyPickleError(Exception):
    """A snapshot cannot be read; the text names the file, the reason and, if known, a way out."""


def read_legacy_pickle(path: str | Path) -> LegacySnapshot:
    """Read a published StyleGAN2 snapshot without executing anything of it.

    Time and memory are bounded by the size of the file. Raises LegacyPickleError for a file that
    is missing, broken, of another kind, or asks for anything but the parts of such a snapshot.
    """
    try:
        data = read_regular_file(Path(path), most_bytes=MAX_FILE_BYTES)
    except UnreadableFileError as error:
        raise _refused(str(path), error) from error
    return read_legacy_bytes(data, str(path))


def read_legacy_bytes(data: bytes, name: str) -> LegacySnapshot:
    """Read the bytes of such a file; `name` is what errors call it. Raises LegacyPickleError."""
    try:
        _check_kind(data)
        root, end_byte = run_pickle(memoryview(data), _snapshot_words(len(data)))
        if end_byte != len(data):
            raise PickleDataError(f"{len(data) - end_byte} bytes follow its end")
        return _snapshot(root)
    except PickleDataError as error:
        raise _refused(name, error) from error


def _refused(name: str, reason: Exception) -> LegacyPickleError:
    return LegacyPickleError(f"{name} cannot be read as a StyleGAN2 snapshot: {reason}.")


def _check_kind(data: bytes) -> None:
    foreign = foreign_kind(data[:HEAD_BYTES])
    if foreign is not None:
        raise PickleDataError(foreign)
    if not looks_like_pickle(data[:HEAD_BYTES]):
        raise PickleDataError("it is not a pickle of protocol 2 or later")


@dataclass(frozen=True)
class _StoredObject:
    """A network or augmentation pipe as stored: class and attributes; its program text is gone."""

    class_name: str
    attributes: dict[object, object]


def _snapshot_words(file_bytes: int) -> Vocabulary:
    tensors, storages = Budget(file_bytes), Storages(file_bytes)
    numpy_words = NumpyWords(file_bytes)
    set_items = Budget(MAX_NAMES, "it holds sets without end")
    calls = {
        Symbol("torch_utils.persistence", "_reconstruct_persistent_obj"): _stored_object,
        Symbol("dnnlib.util", "EasyDict"): _empty_dict,
        Symbol("dnnlib", "EasyDict"): _empty_dict,
        Symbol("collections", "OrderedDict"): _empty_dict,
        Symbol("builtins", "set"): lambda a: _set_of_list(a, set_items),
        Symbol("__builtin__", "set"): lambda a: _set_of_list(a, set_items),  # in protocol 2
        Symbol("torch._utils", "_rebuild_parameter"): parameter,
        Symbol("torch._utils", "_rebuild_tensor_v2"): lambda a: tensor(a, tensors),
        Symbol("torch.storage", "_load_from_bytes"): storages.read,
        NETWORK: stored_network,
        **numpy_words.calls(),
    }

    def build(target: object, state: object) -> None:
        if isinstance(target, StoredNetwork):
            set_network(target, state)
        else:
            numpy_words.build(target, state)

    return Vocabulary(calls=calls, inert=frozenset({NDARRAY}), build=build, refusal=_refusal)


def _refusal(symbol: Symbol) -> str:
    if symbol in _BEFORE_STYLEGAN:
        return f"it is a pickle of Progressive GAN ({symbol}), which is not supported"
    return refuse_symbol(symbol) + ", and nothing of it was executed"


_BEFORE_STYLEGAN = frozenset({Symbol("network", "Network"), Symbol("tfutil", "Network")})

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


def _set_of_list(arguments: tuple[object, ...], budget: Budget) -> set[str]:
    items = arguments[0] if len(arguments) == 1 else None
    if type(items) is not list:
        raise PickleDataError("it makes a set of something else than texts")
    budget.spend(len(items))  # before any is looked at: the same list could come again and again
    if not all(isinstance(item, str) for item in items):
        raise PickleDataError("it makes a set of something else than texts")
    return set(items)


# From what was stored to networks.


def _snapshot(root: object) -> LegacySnapshot:
    if type(root) is tuple:
        networks, version = networks_of(root)
        kind = f"TensorFlow snapshot, state version {version}"
    elif type(root) is dict and root.get("G_ema") is not None:
        present = [key for key in NETWORK_KEYS if root.get(key) is not None]
        networks, kind = {key: _network(key, root[key]) for key in present}, "PyTorch snapshot"
    elif type(root) is dict and any(name in root for name in _NAMES_OF_WEIGHTS):
        raise PickleDataError(
            "it is a pickle of bare weights (a state_dict), without the arguments that their "
            "network was made with; bring the snapshot that they come from"
        )
    else:
        raise PickleDataError("it is no snapshot: it has no network named G_ema")
    return LegacySnapshot(MappingProxyType(networks), kind)


def _network(key: str, stored: object) -> LegacyNetwork:
    expected = "Discriminator" if key == "D" else "Generator"
    if not isinstance(stored, _StoredObject) or stored.class_name != expected:
        raise PickleDataError(f"its {key} is no {expected}")
    positional = stored.attributes.get("_init_args", ())
    if type(positional) is not tuple or positional:
        raise PickleDataError(f"its {key} was made with arguments without names")
    kwargs = plain_arguments(stored.attributes.get("_init_kwargs"))
    if kwargs is None:
        raise PickleDataError(f"its {key} does not say how it was made")
    gatherer = _Gatherer()
    gatherer.gather(stored, "", 0)
    _name_the_clamp(kwargs, gatherer.clamps)
    return LegacyNetwork(stored.class_name, kwargs, gatherer.tensors)


def _name_the_clamp(kwargs: dict[str, Any], clamps: set[float]) -> None:
    """Add conv_clamp, whose default changed over the releases, as the layers have it."""
    inner = kwargs.get("synthesis_kwargs")
    named = "conv_clamp" in kwargs or (isinstance(inner, dict) and "conv_clamp" in inner)
    if not named and len(clamps) == 1:
        kwargs["conv_clamp"] = clamps.pop()


class _Gatherer:
    def __init__(self) -> None:
        self.tensors: dict[str, Array] = {}
        self.clamps: set[float] = set()
        self.seen: set[int] = set()
        self.count = 0

    def gather(self, stored: object, prefix: str, depth: int) -> None:
        if not isinstance(stored, _StoredObject):
            raise PickleDataError(f"its module '{printable(prefix)}' is no network")
        if stored.class_name == "SynthesisInput":
            raise PickleDataError(
                "it is a snapshot of StyleGAN3, which is not supported; bring one of StyleGAN2"
            )
        if stored.class_name not in NETWORK_CLASSES:
            raise PickleDataError(
                f"it holds a layer of the class '{printable(stored.class_name)}', "
                "which StyleGAN2-ADA does not have"
            )
        self.tick(depth)
        clamp = stored.attributes.get("conv_clamp")
        if isinstance(clamp, int | float) and 0 < clamp < 1e9:
            self.clamps.add(float(clamp))
        for kind in ("_parameters", "_buffers"):
            for name, array in _named(stored, kind):
                self.tick(depth)
                if array is None:  # how torch registers an absent bias
                    continue
                if not isinstance(array, np.ndarray):
                    raise PickleDataError(f"its '{printable(prefix + name)}' is no tensor")
                if id(array) in self.seen:  # what copies them would fill memory out of nothing
                    raise PickleDataError("it gives the same numbers to two names")
                self.seen.add(id(array))
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
