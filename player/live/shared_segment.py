"""A named block of memory that the player and its worker both map.

Not multiprocessing.shared_memory: before Python 3.13 a process that merely attaches is registered
with a resource tracker, which unlinks the block when that process is killed, and the tracker is a
further process to leave behind. A file in /dev/shm (a tagged section on Windows) mapped with mmap
has no tracker at all.
"""

from __future__ import annotations

import mmap
import os
import re
import secrets
import sys
import tempfile
from pathlib import Path

_NAME = re.compile(r"inspace-(?P<pid>[0-9]{1,10})-[0-9]{1,10}-[0-9a-f]{8}")


class SegmentError(Exception):
    """Shared memory could not be made or found; the text is a sentence for the operator."""


def segment_name(generation: int) -> str:
    """A name no other segment has: `inspace-<pid>-<generation>-<random>`."""
    return f"inspace-{os.getpid()}-{generation}-{secrets.token_hex(4)}"


def segment_folder() -> Path:
    """Where segments stand as files; memory-backed on Linux. Unused on Windows."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


class Segment:
    """One mapped block. The player creates and unlinks it, the worker only attaches."""

    def __init__(self, name: str, memory: mmap.mmap, *, owner: bool) -> None:
        self.name = name
        self.memory = memory
        self._named = owner

    @classmethod
    def create(cls, name: str, size_bytes: int) -> Segment:
        """A new block of zeros. Raises SegmentError if it exists or there is no room for it."""
        if sys.platform == "win32":
            return cls(name, mmap.mmap(-1, size_bytes, tagname=name), owner=False)
        path = segment_folder() / name
        _refuse_without_room(path.parent, size_bytes)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError as fault:
            raise SegmentError(
                f"The shared memory {path} cannot be created: {fault.strerror}."
            ) from fault
        try:
            os.ftruncate(file, size_bytes)
            memory = mmap.mmap(file, size_bytes)
        except (OSError, ValueError) as fault:
            path.unlink(missing_ok=True)
            raise SegmentError(
                f"The shared memory {path} cannot be made {size_bytes} bytes large: {fault}."
            ) from fault
        finally:
            os.close(file)
        return cls(name, memory, owner=True)

    @classmethod
    def attach(cls, name: str, size_bytes: int) -> Segment:
        """Map a block that the player made. Raises SegmentError if it is gone or too small."""
        if sys.platform == "win32":
            return cls(name, mmap.mmap(-1, size_bytes, tagname=name), owner=False)
        path = segment_folder() / name
        try:
            file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError as fault:
            raise SegmentError(
                f"The shared memory {path} cannot be opened: {fault.strerror}."
            ) from fault
        try:
            return cls(name, mmap.mmap(file, size_bytes), owner=False)
        except (OSError, ValueError) as fault:
            raise SegmentError(
                f"The shared memory {path} is not {size_bytes} bytes large: {fault}."
            ) from fault
        finally:
            os.close(file)

    def unlink(self) -> None:
        """Take the name away; who has mapped the block keeps it. Only the creator's call acts."""
        if self._named:
            self._named = False
            (segment_folder() / self.name).unlink(missing_ok=True)

    def close(self) -> None:
        """Unlink and unmap. Every array over the block must have been let go of before."""
        self.unlink()
        self.memory.close()


def sweep_stale_segments() -> tuple[str, ...]:
    """Unlink the segments of players that no longer run; returns their names.

    A live player's segment is never touched; one that belongs to another user is left alone.
    """
    if sys.platform == "win32":
        return ()
    swept = []
    for path in sorted(segment_folder().glob("inspace-*")):
        match = _NAME.fullmatch(path.name)
        if match is None or _is_running(int(match["pid"])):
            continue
        try:
            path.unlink(missing_ok=True)
        except PermissionError:
            continue
        swept.append(path.name)
    return tuple(swept)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _refuse_without_room(folder: Path, size_bytes: int) -> None:
    # Pages of /dev/shm are given on first touch, and a full one answers with SIGBUS, not with an
    # error. Allocating them here (posix_fallocate) would cost the frame loop 100 ms at 1024 px.
    if sys.platform == "win32":
        return
    space = os.statvfs(folder)
    free_bytes = space.f_bavail * space.f_frsize
    if free_bytes < size_bytes:
        raise SegmentError(
            f"{folder} has {free_bytes >> 20} MB left and the picture ring needs "
            f"{(size_bytes >> 20) + 1} MB: enlarge it (docker: --shm-size) or free some."
        )
