"""Arguments, names and files of other kinds: a part of the corpus of hostile pickles.

FILES: name -> (what it tries, what the refusal says, the bytes of the whole file, made on call).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np

from tests.hostile_builders import HEAD, LAYER, Builder, u64, with_kwargs, with_modules
from tests.hostile_calls import OPEN
from tests.legacy_files import Apply, Global, Raw, dump, module, snapshot, tensor_of

EARLY = "ends too early"
NO_PICKLE = "not a readable safetensors file"  # it is taken for what it looks like least
UNUSABLE = "no usable number"
BOMB = bytes(16 * 2**20)  # what the packed files unfold to; they are never unpacked


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", BOMB)
    return file.getvalue()


FILES: dict[str, tuple[str, str, Builder]] = {
    # Arguments of the network.
    "arguments for a huge network": (
        "4 GB of weights that the file lacks",
        "ask for more",
        lambda: with_kwargs({"z_dim": 65536, "w_dim": 65536}),
    ),
    "a million pixels": (
        "a picture of 4 TB",
        "no channels",
        lambda: with_kwargs({"img_resolution": 2**20}),
    ),
    "a number of 2000 bits": (
        "an endless size",
        UNUSABLE,
        lambda: with_kwargs({"z_dim": Raw(b"\x8a\xfa" + b"\x7f" * 250)}),
    ),
    "a clamp of 2000 bits": (
        "a number beyond any float",
        UNUSABLE,
        lambda: with_kwargs({"conv_clamp": Raw(b"\x8a\xfa" + b"\x7f" * 250)}),
    ),
    "a clamp that is no number": (
        "NaN in every pixel",
        UNUSABLE,
        lambda: with_kwargs({"conv_clamp": float("nan")}),
    ),
    "layers without end": (
        "2**31 layers",
        UNUSABLE,
        lambda: with_kwargs({"mapping_kwargs": {"num_layers": 2**31 - 1}}),
    ),
    "a size that is a text": ("a text for a size", UNUSABLE, lambda: with_kwargs({"z_dim": "512"})),
    "a size that is a truth": ("True for a size", UNUSABLE, lambda: with_kwargs({"z_dim": True})),
    "arguments that are no dict": (
        "a list of arguments",
        "how it was made",
        lambda: with_kwargs([1]),
    ),
    "a tensor as an argument": (
        "an array as an argument",
        "no plain values",
        lambda: with_kwargs({"a": tensor_of(np.ones(3))}),
    ),
    "module text that is run": (
        "be executed, as the published loader does",
        "ask for more",
        lambda: snapshot(module("Generator", source=OPEN, buffers={"a": tensor_of(np.ones(3))})),
    ),
    # Names that are shown.
    "escape codes in an argument": (
        "clear the screen",
        r"\x1b[2J",
        lambda: with_kwargs({"\x1b[2J\x1b]0;x\x07\r\n": 1}),
    ),
    "direction in an argument": (
        "turn the sentence round",
        r"\u202e",
        lambda: with_kwargs({"architecture": "\u202eskip"}),
    ),
    "surrogate in an argument": (
        "text that cannot be printed",
        r"\ud800",
        lambda: with_kwargs(Raw(b"}X\x03\x00\x00\x00\xed\xa0\x80K\x01s")),
    ),
    "a page as an argument": (
        "a sentence of a megabyte",
        "[...]",
        lambda: with_kwargs({"architecture": "a" * 10**6}),
    ),
    "escape codes in a class": (
        "clear the screen",
        r"'\x1b[2J'",
        lambda: with_modules({"a": module("\x1b[2J")}),
    ),
    "escape codes in a module": (
        "clear the screen",
        r"\x1b[2J",
        lambda: with_modules({"\x1b[2J": 1}),
    ),
    "a long name": (
        "a name of a megabyte",
        "without a name",
        lambda: with_modules({"a" * 10**6: LAYER}),
    ),
    # Files.
    "empty": ("nothing", "it is empty", lambda: b""),
    "one byte": ("less than a head", EARLY, lambda: b"\x80"),
    "only an end": ("an end without a head", NO_PICKLE, lambda: b"."),
    "head alone": ("no opcodes", EARLY, lambda: HEAD),
    "protocol 9": ("an unknown protocol", "protocol 9", lambda: b"\x80\x09}."),
    "protocol 0": ("the text protocol", NO_PICKLE, lambda: b"cos\nsystem\n(S'true'\ntR."),
    "protocol 1": ("a pickle without a head", NO_PICKLE, lambda: b"(K\x01K\x02t."),
    "bytes behind the end": ("hide something behind", "follow its end", lambda: snapshot() + b"x"),
    "second pickle": (
        "a call behind a good file",
        "follow its end",
        lambda: snapshot() + dump(Apply(Global("os", "system"), ("true",))),
    ),
    "gzip": ("unfold to any size", "packed archive", lambda: gzip.compress(BOMB)),
    "bzip2": ("unfold to any size", NO_PICKLE, lambda: bz2.compress(BOMB[: 2**20])),
    "xz": ("unfold to any size", NO_PICKLE, lambda: lzma.compress(BOMB, preset=0)),
    "zip": ("unfold to any size", "torch.save file", zipped),
    "HTML": ("a page in place of a download", "web page", lambda: b"<!DOCTYPE html><script>"),
    "git LFS pointer": (
        "a pointer in place of a file",
        "pointer of git-lfs",
        lambda: b"version https://git-lfs.github.com/spec/v1\n",
    ),
    "safetensors by another name": (
        "a file of another kind",
        "not a generator of this project",
        lambda: u64(2) + b"{}",
    ),
    "ELF": ("a program by another name", NO_PICKLE, lambda: b"\x7fELF" + bytes(60)),
}
