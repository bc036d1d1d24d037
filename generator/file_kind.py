"""What kind of file a file is, told from its first bytes and not from its name; no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from generator.errors import CheckpointError
from generator.regular_file import UnreadableFileError, read_head

HEAD_BYTES = 1 << 20  # enough for the names at the start of a torch.save archive

_TORCH_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
_MOST_HEADER_BYTES = 1 << 30


def kind_of(path: Path) -> Literal["safetensors", "pickle"]:
    """Raises CheckpointError for a file that cannot be read, or is known to be something else."""
    try:
        head = read_head(path, HEAD_BYTES)
    except UnreadableFileError as error:
        raise CheckpointError(f"{path}: {error}") from error
    foreign = foreign_kind(head)
    if foreign is not None:
        raise CheckpointError(f"{path}: {foreign}")
    return "pickle" if looks_like_pickle(head) else "safetensors"


def looks_like_safetensors(head: bytes) -> bool:
    """Eight bytes of length, then JSON."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < _MOST_HEADER_BYTES


def looks_like_pickle(head: bytes) -> bool:
    """A pickle of protocol 2 or later, other than those that torch.save starts with."""
    if looks_like_safetensors(head):  # whose length can begin with that byte
        return False
    return head[:1] == b"\x80" and not head.startswith(_TORCH_MAGIC)


def foreign_kind(head: bytes) -> str | None:
    """What the file is and what to do, as a clause; None for what may be of use.

    head: its first HEAD_BYTES, or all of it.
    """
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a pointer of git-lfs and not the file itself; run `git lfs pull`"
    if head[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "it is a web page, as of a download that failed; download the file again"
    if head.startswith(b"\x1f\x8b") or head[257:262] == b"ustar":
        return "it is a compressed or packed archive; unpack it first"
    if head.startswith(_TORCH_MAGIC) or (head.startswith(b"PK") and b"/data.pkl" in head):
        return _kind_of_torch_file(head)
    if head.startswith(b"PK"):
        return "it is a zip archive, perhaps a data set, and not a snapshot"
    return None


def _kind_of_torch_file(head: bytes) -> str:
    if b"to_rgb1." in head or b"to_rgbs." in head:
        return (
            "it is a torch.save file of the rosinality implementation of StyleGAN2, which is not "
            "supported; bring a .pkl of the published implementation"
        )
    if b"synthesis.b4." in head:
        return (
            "it is a torch.save file of bare weights (a state_dict), without the arguments that "
            "their network was made with; bring the snapshot (.pkl) that they come from"
        )
    return (
        "it is a torch.save file and not a snapshot; bring a .pkl of the published implementation"
    )
