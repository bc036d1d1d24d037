"""A real player and real clients over TCP: liblo (oscsend, and its library for SLIP and time tags),
python-osc in both framings, and a client that asks without end and never reads.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pythonosc import slip, tcp_client
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from player.clock import HouseClock, wall_ns
from player.osc.time_tags import time_tag
from tests.installation_process import Installation
from tests.test_osc_packets import packet
from tests.tick_helpers import wait_for
from tests.tiny_show import make_tiny_show

pytestmark = pytest.mark.slow  # the player is a process
LIBLO = ctypes.util.find_library("lo")
LO_TCP = 4
NS_PER_S = 1_000_000_000
LEAD_NS = NS_PER_S // 60  # so much before a frame is shown what is due by then is obeyed


@dataclass
class Playing:
    player: Installation
    port: int


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    folder: Path = tmp_path_factory.mktemp("show")
    show = make_tiny_show(folder, screens=3, ballads=4, paintings=2, size=4)
    play = ("--show", show.folder, "--mode", "slate", "--outputs", "headless", "--size", "16x16")
    with Installation("play", *play, "--osc-tcp") as player:
        yield Playing(player, int(player.said(r"OSC: \S+ port (\d+), UDP and TCP\.")[1]))


def is_answered(playing: Playing, address: str, wanted: str) -> bool:
    return wait_for(lambda: playing.player.ask(address) == wanted, seconds=20)


@pytest.mark.skipif(shutil.which("oscsend") is None, reason="oscsend (liblo-tools) is missing")
def test_oscsend_over_tcp(playing: Playing) -> None:
    url = f"osc.tcp://127.0.0.1:{playing.port}"
    for words, asked, wanted in (
        (("/ballad", "s", "ballad-3"), "/ballad", "ballad-3"),
        (("/hold", "T"), "/hold", "1"),
        (("/brightness", "f", "0.5"), "/brightness", "0.5"),
        (("/safe",), "/hold", "0"),
    ):
        subprocess.run(["oscsend", url, *words], check=True, timeout=20)
        assert is_answered(playing, asked, wanted), words


class Liblo:
    """The library that oscsend and many programs are made with, called directly."""

    def __init__(self, port: int, protocol: int) -> None:
        assert LIBLO is not None
        self.lib = ctypes.CDLL(LIBLO)
        for name in ("lo_address_new_with_proto", "lo_message_new", "lo_bundle_new"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.lib.lo_address_errstr.restype = ctypes.c_char_p
        self.address = ctypes.c_void_p(
            self.lib.lo_address_new_with_proto(protocol, b"127.0.0.1", str(port).encode())
        )

    def message(self, number: float) -> ctypes.c_void_p:
        made = ctypes.c_void_p(self.lib.lo_message_new())
        self.lib.lo_message_add_float(made, ctypes.c_float(number))
        return made

    def send(self, path: bytes, number: float) -> None:
        sent = self.lib.lo_send_message(self.address, path, self.message(number))
        assert sent > 0, self.lib.lo_address_errstr(self.address)

    def send_at(self, tag: int, path: bytes, number: float) -> None:
        bundle = ctypes.c_void_p(self.lib.lo_bundle_new(TimeTag(tag >> 32, tag & 0xFFFFFFFF)))
        self.lib.lo_bundle_add_message(bundle, path, self.message(number))
        assert self.lib.lo_send_bundle(self.address, bundle) > 0


class TimeTag(ctypes.Structure):
    """lo_timetag"""

    _fields_ = (("sec", ctypes.c_uint32), ("frac", ctypes.c_uint32))


needs_liblo = pytest.mark.skipif(LIBLO is None, reason="liblo's library is missing")


@needs_liblo
@pytest.mark.parametrize("is_slip", [False, True])
def test_liblo_over_tcp_with_a_size_and_with_slip(playing: Playing, is_slip: bool) -> None:
    """Liblo's SLIP has no END before a packet. A 6.0 is C0 C0 00 00 with its sign: END twice."""
    client = Liblo(playing.port, LO_TCP)
    if is_slip:
        client.lib.lo_address_set_stream_slip(client.address, 1)
    number = 0.25 if is_slip else 0.5
    client.send(b"/brightness", number)
    client.send(b"/loop/strength", -6.0)  # out of range: answered, but whole
    client.send(b"/loop/strength", 2.0 + number)
    assert is_answered(playing, "/brightness", f"{number:g}")
    assert is_answered(playing, "/loop/strength", f"{2 + number:g}")
    client.lib.lo_address_free(client.address)


@needs_liblo
def test_liblos_bundle_for_later_is_done_at_its_time(playing: Playing) -> None:
    client, clock = Liblo(playing.port, LO_TCP), HouseClock()
    assert playing.player.ask("/hold", 0)
    ahead_ns = 2 * NS_PER_S
    named_ns = clock.now_ns() + ahead_ns
    client.send_at(time_tag(wall_ns() + ahead_ns), b"/hold", 1.0)
    assert wait_for(lambda: "wait for their time 1" in playing.player.ask("/status"))
    assert is_answered(playing, "/hold", "1")
    late_ns = clock.now_ns() - named_ns
    print(f"seen {late_ns / 1e6:.1f} ms after its time")
    assert late_ns >= -LEAD_NS, "never early"
    client.lib.lo_address_free(client.address)


@pytest.mark.parametrize("mode", ["1.0", "1.1"])
def test_python_osc_steers_hears_answers_and_subscribes(playing: Playing, mode: str) -> None:
    client = tcp_client.SimpleTCPClient("127.0.0.1", playing.port, mode=mode, timeout=10)
    try:
        for number in (2, 4):
            client.send_message("/ballad", number)
            (answer,) = client.receive()
            assert OscMessage(answer).params[:2] == ["/ballad", "ok"]
        client.send_message("/subscribe", 5.0)
        told = ""
        while "/screen/2/title Ballad number 4" not in told or "/status/frame " not in told:
            for data in client.receive():
                told += told_by(data)
    finally:
        client.close()


def told_by(data: bytes) -> str:
    """Address and values of what there is, a line each; of a packet that is cut off nothing."""
    if not OscBundle.dgram_is_bundle(data):
        return ""
    messages = [one for one in OscBundle(data) if isinstance(one, OscMessage)]
    return "".join(f"{one.address} {' '.join(map(str, one.params))}\n" for one in messages)


def test_frames_go_on_beside_a_client_that_never_reads(playing: Playing) -> None:
    """It subscribes, asks as often as it is let, and lets the answers lie."""
    deaf = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", playing.port))
    ended = threading.Event()

    def ask_on() -> None:
        try:
            deaf.sendall(slip.encode(packet("/subscribe", 60)))
            while not ended.wait(0.02):
                deaf.sendall(slip.encode(packet("/status")) * 8)
        except OSError:
            pass

    asking = threading.Thread(target=ask_on)
    before = playing.player.frame()
    asking.start()
    try:
        playing.player.said(r"127\.0\.0\.1 port \d+ is closed: it does not read", seconds=60)
        at_the_end = playing.player.frame()
        assert at_the_end > before
        assert wait_for(lambda: playing.player.frame() > at_the_end + 30, seconds=20)
    finally:
        ended.set()
        asking.join(20)
        deaf.close()
    late, dropped = (int(playing.player.ask(f"/status/{one}")) for one in ("late", "dropped"))
    print(f"frames {before} to {at_the_end}; late {late}, dropped {dropped}")
