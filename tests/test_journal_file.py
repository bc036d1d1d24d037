"""Lines that are whole whatever happens, and files that one process holds."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shows.journal_file import add_lines, is_torn, whole_lines, write_whole
from shows.lock_file import HeldElsewhereError, held


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert whole_lines(path) == []
    add_lines(path, [])
    assert path.read_bytes() == b""
    add_lines(path, [b"one", b"two"])
    add_lines(path, [b"three"])
    assert whole_lines(path) == [b"one", b"two", b"three"]
    assert path.read_bytes().endswith(b"three\n")


@given(torn=st.binary(max_size=40).filter(lambda b: b"\n" not in b and b"\r" not in b))
def test_a_line_torn_off_is_none_and_goes(
    tmp_path_factory: pytest.TempPathFactory, torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal"
    path.write_bytes(b"one\n" + torn)
    assert whole_lines(path) == [b"one"]
    add_lines(path, [b"two"])
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 200_000])
def test_a_long_torn_line_is_found(tmp_path: Path, size: int) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"one\n" + b"x" * size)
    add_lines(path, [b"two"])
    assert path.read_bytes() == b"one\ntwo\n"
    path.write_bytes(b"x" * size)  # no line at all was finished
    add_lines(path, [b"two"])
    assert path.read_bytes() == b"two\n"


def test_on_a_full_disk_all_lines_are_written_or_none(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    add_lines(path, [b"one"])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            add_lines(path, [b"two", b"three"])
        assert caught.value.errno == errno.EFBIG
        assert path.read_bytes() == b"one\n"
        add_lines(path, [b"four"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"one\nfour\n"


def test_what_cannot_be_cut_back_is_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = iter((3,))

    def write(file: int, data: bytes) -> int:
        size = next(written, 0)
        if not size:
            raise OSError(errno.EIO, "no disk any more")
        os.lseek(file, 0, os.SEEK_END)
        return os.pwrite(file, data[:size], 0)

    def refuse(file: int, size: int) -> None:
        raise OSError(errno.EIO, "no disk any more")

    path = tmp_path / "journal"
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    assert not is_torn(file)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        patch.setattr(os, "ftruncate", refuse)
        with pytest.raises(OSError, match="no disk"):
            write_whole(file, b"a line\n")
    assert is_torn(file) and path.read_bytes() == b"a l"
    write_whole(file, b"\n")
    assert not is_torn(file)
    os.close(file)


HOLDER = """
import sys
from pathlib import Path
from shows.lock_file import held
file = held(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_is_held_by_one_process_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(HeldElsewhereError, match="lock is held by another process"):
            held(path)
        other.kill()
    with held(path), pytest.raises(HeldElsewhereError):
        held(path)  # nor twice by the same
    held(path).close()
