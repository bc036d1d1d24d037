"""What is told to systemd and to our own supervisor, over real sockets."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.upkeep.heartbeat import BEAT_EVERY_NS, MAX_DATAGRAM_BYTES, Heartbeat
from player.upkeep.heartbeat_port import HeartbeatPort, printable, words_of


def datagrams(port: socket.socket) -> list[bytes]:
    """All that has come."""
    port.setblocking(False)
    found = []
    while True:
        try:
            found.append(port.recv(2048))
        except BlockingIOError:
            return found


@pytest.fixture
def port() -> Iterator[HeartbeatPort]:
    with HeartbeatPort() as opened:
        yield opened


def heard_by(port: HeartbeatPort, family: str = "f1") -> Heartbeat:
    return Heartbeat.from_environment(
        {"INSPACE_HEARTBEAT": port.address, "INSPACE_FAMILY": family, "NOTIFY_SOCKET": "/nowhere"}
    )


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_in_its_own_words(tmp_path: Path, abstract: bool) -> None:
    if abstract:
        name = f"@inspace-test-{secrets.token_hex(8)}"
        where: str | bytes = b"\0" + name[1:].encode()
    else:
        name = where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(where)
        heartbeat = Heartbeat.from_environment({"NOTIFY_SOCKET": name})
        heartbeat.ready()
        heartbeat.ready()
        heartbeat.presented(5)
        heartbeat.status("frame 7,\n source live")
        heartbeat.status("frame 7, source live")
        heartbeat.stopping()
        heartbeat.close()
        heartbeat.presented(5 + 10 * BEAT_EVERY_NS)
        assert datagrams(systemd) == [
            b"READY=1",
            b"WATCHDOG=1",
            b"STATUS=frame 7, source live",
            b"STOPPING=1",
        ]


@pytest.mark.parametrize(
    ("times_ns", "beats"),
    [
        ([0], 1),
        ([0, BEAT_EVERY_NS - 1], 1),
        ([0, BEAT_EVERY_NS], 2),
        ([-7, BEAT_EVERY_NS - 8, BEAT_EVERY_NS - 7], 2),
        ([10**12, 5], 2),  # the clock was set back: better once too often than silence
        ([tick * 33_333_333 for tick in range(31)], 4),  # every 8th frame
    ],
)
def test_a_beat_at_most_every_quarter_of_a_second(
    port: HeartbeatPort, times_ns: list[int], beats: int
) -> None:
    heartbeat = heard_by(port)
    for now_ns in times_ns:
        heartbeat.presented(now_ns)
    assert port.listen("f1", 1).beats == beats


def test_our_supervisor_hears_its_own_child_and_no_other(port: HeartbeatPort) -> None:
    before, now = heard_by(port, "before"), heard_by(port, "now")
    for heartbeat in (before, now):
        heartbeat.ready()
        heartbeat.presented(0)
    before.status("of the life before")
    now.status("of this one")
    heard = port.listen("now", 1)
    assert heard.beats == 2 and heard.status == "of this one"
    assert port.listen("now", 0).beats == 0


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "/no/such/socket"},
        {"NOTIFY_SOCKET": "relative"},
        {"NOTIFY_SOCKET": "vsock:2:1"},
        {"NOTIFY_SOCKET": "@"},
        {"NOTIFY_SOCKET": "/" + "x" * 500},
        {"NOTIFY_SOCKET": "/a\0b"},
        {"NOTIFY_SOCKET": "/tmp"},
        {"INSPACE_HEARTBEAT": "192.168.1.1:9000"},
        {"INSPACE_HEARTBEAT": "localhost:9000"},
        {"INSPACE_HEARTBEAT": "127.0.0.1"},
        {"INSPACE_HEARTBEAT": "127.0.0.1:"},
        {"INSPACE_HEARTBEAT": "127.0.0.1:99999999"},
        {"INSPACE_HEARTBEAT": "127.0.0.1:-1"},
        {"INSPACE_HEARTBEAT": "127.0.0.1:\u0661"},
        {"INSPACE_HEARTBEAT": "[::1"},
        {"INSPACE_HEARTBEAT": "\udcff:1"},
    ],
)
def test_nobody_to_tell_is_no_fault(environment: dict[str, str]) -> None:
    heartbeat = Heartbeat.from_environment(environment)
    heartbeat.ready()
    heartbeat.presented(0)
    heartbeat.status("all well")
    heartbeat.stopping()
    heartbeat.close()
    heartbeat.close()


def test_a_listener_that_is_full_or_gone_holds_nothing_up(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    systemd.bind(path)
    heartbeat = Heartbeat.from_environment({"NOTIFY_SOCKET": path})
    for beat in range(2000):  # more than any queue holds: a blocking send would hang here
        heartbeat.presented(beat * BEAT_EVERY_NS)
    assert 0 < len(datagrams(systemd)) < 2000
    systemd.close()
    os.unlink(path)
    heartbeat.presented(3000 * BEAT_EVERY_NS)
    with HeartbeatPort() as port:
        over_udp = heard_by(port)
    for beat in range(5):  # the second is answered with "port unreachable"
        over_udp.presented(beat * BEAT_EVERY_NS)


@given(st.binary(max_size=200))
def test_any_datagram_is_words_or_nothing(datagram: bytes) -> None:
    assert words_of(datagram, "secret") == ""
    words = words_of(b"FAMILY=secret\n" + datagram, "secret")
    assert words.encode() in (datagram, b"")
    assert not any(ord(char) < 32 or char in "\u202e\u2028\x7f\x9b" for char in printable(words))


@given(st.text(max_size=3000))
def test_any_status_is_one_short_datagram(text: str) -> None:
    with HeartbeatPort() as port:
        heartbeat = heard_by(port)
        heartbeat.status("before")
        heartbeat.status(text)
        heartbeat.status("\u00e9" * 5000)
        assert port.listen("f1", 1).status == "\u00e9" * 200
        heartbeat.close()
    assert len(b"FAMILY=") + 64 + 1 + len(b"STATUS=") + 4 * 200 < MAX_DATAGRAM_BYTES
