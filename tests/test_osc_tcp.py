"""OSC over TCP on real sockets: well-behaved clients, and those that are not."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from pythonosc import slip
from pythonosc.osc_message import OscMessage

from player import commands
from player.clock import HouseClock, ManualClock
from player.osc import tcp_connection
from player.osc.control import OscControl, OscError, Request
from player.osc.feedback import Feedback
from player.osc.gate import RateBound, network_of
from player.osc.packets import MAX_PACKET_BYTES
from player.osc.port_holder import port_holder
from player.osc.tcp_framing import SizeFraming, SlipFraming
from player.osc.tcp_port import HELD_BACK_NS, MOST_CONNECTIONS, MOST_OF_ONE_HOST
from tests.test_osc_control import NAMES, arrived
from tests.test_osc_packets import bundle, packet
from tests.tick_helpers import wait_for

Frame = Callable[[bytes], bytes]
FRAMINGS = [SlipFraming().framed, SizeFraming().framed]
PAUSE, STATUS = packet("/pause"), packet("/status")


@contextlib.contextmanager
def listening(**options: object) -> Iterator[OscControl]:
    control = OscControl(names=NAMES, port=0, tcp=True, **options)  # type: ignore[arg-type]
    control.start()
    try:
        yield control
    finally:
        control.close()


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[OscControl]:
    """It does nothing by chance: what is not awaited, or woken for, comes too late."""
    monkeypatch.setattr("player.osc.ports._POLL_SECONDS", 60.0)
    with listening() as opened:
        yield opened


@pytest.fixture
def clients(control: OscControl) -> Iterator[Clients]:
    with Clients(control) as opened:
        yield opened


class Clients:
    """Connections to a control, closed at the end of a test."""

    def __init__(self, control: OscControl) -> None:
        self._port = control.port
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        where = ("127.0.0.1", self._port)
        opened = socket.create_connection(where, timeout=10, source_address=(source, 0))
        return self._closing.enter_context(opened)


def heard(client: socket.socket) -> list[object]:
    """The arguments of the next answer in SLIP."""
    data = b""
    while not data.strip(slip.END) or not data.endswith(slip.END):
        part = client.recv(1)
        assert part, "closed instead of an answer"
        data += part
    message = OscMessage(slip.decode(data))
    assert message.address == "/reply"
    return list(message.params)


def exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        assert part, "closed before the end of a packet"
        data += part
    return data


def by_size(client: socket.socket) -> bytes:
    """The next packet that comes with its size."""
    (size,) = struct.unpack(">i", exactly(client, 4))
    return exactly(client, size)


def is_closed(client: socket.socket) -> bool:
    """Whether the other side closes it, after whatever it still says."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


def obeyed(control: OscControl) -> list[Request]:
    requests = arrived(control)
    for request in requests:
        control.reply(request, True, "done")
    return requests


def test_both_framings_are_heard_and_answered_in_their_own(clients: Clients) -> None:
    one, other = clients.connect(), clients.connect()
    one.sendall(FRAMINGS[0](packet("/nowhere")))
    assert heard(one)[:2] == ["/nowhere", "error"]
    other.sendall(FRAMINGS[1](packet("/nowhere")))
    assert OscMessage(by_size(other)).params[:2] == ["/nowhere", "error"]


@pytest.mark.parametrize("framed", FRAMINGS, ids=["slip", "size"])
def test_byte_by_byte_and_all_at_once(control: OscControl, clients: Clients, framed: Frame) -> None:
    client = clients.connect()
    for byte in framed(packet("/ballad", 2)):
        client.sendall(bytes([byte]))
    assert [one.command for one in obeyed(control)] == [commands.SetBallad("tam-lin")]
    client.sendall(framed(PAUSE) * 3 + framed(bundle(PAUSE, PAUSE)))
    requests = obeyed(control)
    while len(requests) < 5:
        requests += obeyed(control)
    assert [one.command for one in requests] == [commands.Pause()] * 5


def test_a_frame_loops_answer_goes_back_over_the_connection(
    control: OscControl, clients: Clients
) -> None:
    client = clients.connect()
    client.sendall(FRAMINGS[0](PAUSE))
    (request,) = obeyed(control)
    assert request.sender.host == "127.0.0.1"
    assert heard(client) == ["/pause", "ok", "done"]
    control.send(packet("/event/stop", 1, 2), request.sender)
    assert client.recv(100) == FRAMINGS[0](packet("/event/stop", 1, 2))


def test_udp_is_heard_beside_it_at_the_same_port(control: OscControl, clients: Clients) -> None:
    clients.connect().sendall(FRAMINGS[0](PAUSE))
    obeyed(control)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.sendto(packet("/play"), ("127.0.0.1", control.port))
        assert [one.command for one in obeyed(control)] == [commands.Play()]


def test_half_a_packet_and_then_nothing_costs_the_others_nothing(
    control: OscControl, clients: Clients
) -> None:
    halves = [clients.connect() for _ in range(4)]
    for half in halves[:2]:
        half.sendall(FRAMINGS[0](PAUSE)[:-1])
    halves[2].sendall(FRAMINGS[1](PAUSE)[:9])
    other = clients.connect()
    other.sendall(FRAMINGS[0](packet("/play")))
    assert [one.command for one in obeyed(control)] == [commands.Play()]
    assert heard(other)[:2] == ["/play", "ok"]
    halves[0].sendall(slip.END)
    assert [one.command for one in obeyed(control)] == [commands.Pause()], "the rest has come"


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\xff" * 5000],
)
def test_what_is_no_osc_is_closed(
    control: OscControl, clients: Clients, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = clients.connect()
    with caplog.at_level(logging.WARNING):
        client.sendall(garbage)
        assert is_closed(client)
        assert wait_for(lambda: "this is no OSC" in caplog.text)
    assert control.errors == 1
    clients.connect().sendall(FRAMINGS[0](PAUSE))
    assert obeyed(control)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (b"\xc0/a\xdbx\xc0", "escape"),
        (b"\xc0" + b"/" * (3 * MAX_PACKET_BYTES), "more than 4096"),
    ],
)
def test_a_stream_that_cannot_be_followed_is_answered_and_closed(
    control: OscControl, clients: Clients, fault: bytes, said: str
) -> None:
    """What came before it is done."""
    client = clients.connect()
    client.sendall(FRAMINGS[0](PAUSE) + fault[:-1])
    client.sendall(fault[-1:])
    with contextlib.suppress(ConnectionResetError):  # where not all of it had been read
        address, word, text = heard(client)
        assert (address, word) == ("", "error") and said in str(text)
    assert is_closed(client)
    assert [one.command for one in arrived(control)] == [commands.Pause()]


def test_a_bad_packet_in_a_good_frame_costs_one_answer(
    control: OscControl, clients: Clients
) -> None:
    client = clients.connect()
    for bad in (b"/", b"\0\0\0\0", os.urandom(300), bytes(MAX_PACKET_BYTES + 5)):
        client.sendall(FRAMINGS[0](bad))
        assert heard(client)[1] == "error"
    client.sendall(FRAMINGS[0](PAUSE))
    assert obeyed(control)


def test_a_client_that_sends_and_is_gone_is_obeyed(control: OscControl, clients: Clients) -> None:
    client = clients.connect()
    client.sendall(FRAMINGS[1](PAUSE))
    client.close()
    (request,) = obeyed(control)
    assert request.command == commands.Pause()
    assert wait_for(lambda: not control.reaches(request.sender))
    control.reply(request, True, "nobody hears it")


def test_a_subscription_ends_with_its_connection(control: OscControl, clients: Clients) -> None:
    client = clients.connect()
    client.sendall(FRAMINGS[0](packet("/subscribe", 3600)))
    (request,) = obeyed(control)
    feedback = Feedback(control.send, reaches=control.reaches)
    feedback.subscribe(request.sender, 3600, 0)
    assert feedback.is_due(1)
    client.close()
    assert wait_for(lambda: not feedback.is_due(1))


def test_who_never_reads_is_closed_and_keeps_nobody_waiting(
    control: OscControl, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    deaf, other = clients.connect(), clients.connect()
    deaf.sendall(FRAMINGS[0](PAUSE))
    sender = obeyed(control)[0].sender
    told = packet("/event/line", "x" * 1300)
    with caplog.at_level(logging.WARNING):
        for _ in range(20_000):
            control.send(told, sender)
            if not control.reaches(sender):
                break
        assert wait_for(lambda: not control.reaches(sender))
        assert wait_for(lambda: "it does not read: 262144 bytes wait" in caplog.text)
    assert sender.has_waiting is False, "and nothing is kept for it"
    other.sendall(FRAMINGS[0](packet("/play")))
    obeyed(control)
    assert heard(other)[:2] == ["/play", "ok"]


def test_who_reads_slowly_gets_all_of_it_in_order(control: OscControl, clients: Clients) -> None:
    client = clients.connect()
    client.sendall(FRAMINGS[1](PAUSE))
    sender = obeyed(control)[0].sender
    assert OscMessage(by_size(client)).address == "/reply"
    told = [packet("/event/stop", number, "x" * 1200) for number in range(200)]
    for one in told:
        control.send(one, sender)
    assert [by_size(client) for _ in told] == told
    assert control.reaches(sender)


def test_who_floods_is_told_and_held_back_and_others_are_heard() -> None:
    with (
        listening(rate=RateBound(per_second=50, burst=60)) as control,
        Clients(control) as clients,
    ):
        flood = clients.connect()
        flood.setblocking(False)
        sent, chunk = 0, FRAMINGS[0](STATUS) * 500
        with contextlib.suppress(BlockingIOError):
            while sent < 64 << 20:
                sent += flood.send(chunk)
        assert sent < 64 << 20, "the network holds it back"
        assert wait_for(lambda: control.dropped > 0)
        flood.settimeout(10)
        assert "too many messages: 50 a second" in str(heard(flood)[2])
        assert len(arrived(control)) <= 64
        other = clients.connect("127.0.0.2")
        other.sendall(FRAMINGS[0](PAUSE))
        assert any(one.command == commands.Pause() for one in obeyed(control))


def test_who_is_held_back_is_not_read_until_its_time() -> None:
    """On a clock that is moved by hand."""
    clock, rate = ManualClock(), RateBound(per_second=1, burst=10)
    with listening(clock=clock, rate=rate) as control, Clients(control) as clients:
        flood = clients.connect()
        flood.sendall(FRAMINGS[0](STATUS) * 2000)
        assert wait_for(lambda: control.dropped > 0)
        for number in range(2, 8):
            other = clients.connect(f"127.0.0.{number}")
            other.sendall(FRAMINGS[0](PAUSE))
            obeyed(control)
        of_one_read = tcp_connection.READ_BYTES // len(FRAMINGS[0](STATUS))
        assert control.dropped <= of_one_read
        clock.advance(HELD_BACK_NS)
        assert wait_for(lambda: control.dropped > of_one_read)


def test_places_are_bounded_and_a_host_cannot_have_all(
    control: OscControl, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        of_one = [clients.connect() for _ in range(MOST_OF_ONE_HOST)]
        assert is_closed(clients.connect())
        assert wait_for(lambda: "8 connections of this host already" in caplog.text)
        for _ in range(MOST_CONNECTIONS - MOST_OF_ONE_HOST):
            clients.connect("127.0.0.2")
        assert is_closed(clients.connect("127.0.0.3"))
        of_one[0].close()
        again = clients.connect("127.0.0.3")
        again.sendall(FRAMINGS[0](PAUSE))
        assert obeyed(control)


def test_a_host_that_is_not_allowed_is_closed_unheard() -> None:
    with listening(allow=[network_of("127.0.0.2")]) as control, Clients(control) as clients:
        other = clients.connect()
        assert is_closed(other)
        assert wait_for(lambda: (control.dropped, control.errors) == (1, 1))
        heard_one = clients.connect("127.0.0.2")
        heard_one.sendall(FRAMINGS[0](PAUSE))
        assert obeyed(control)


def test_rates_are_by_host_whatever_it_comes_by() -> None:
    with listening(rate=RateBound(per_second=1, burst=2)) as control, Clients(control) as clients:
        for _ in range(2):
            clients.connect().sendall(FRAMINGS[0](PAUSE))
            obeyed(control)
        third = clients.connect()
        third.sendall(FRAMINGS[0](PAUSE))
        assert "too many messages" in str(heard(third)[2])


def test_without_the_option_nothing_listens() -> None:
    control = OscControl(names=NAMES, port=0)
    control.start()
    try:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", control.port), timeout=5)
    finally:
        control.close()


def test_close_ends_all_connections_and_frees_the_port(
    control: OscControl, clients: Clients
) -> None:
    client = clients.connect()
    client.sendall(FRAMINGS[0](PAUSE))
    (request,) = arrived(control)
    clock = HouseClock()
    began_ns = clock.now_ns()
    control.close()
    assert not any(one.name == "osc-control" for one in threading.enumerate()), "and its thread"
    print(f"closed in {(clock.now_ns() - began_ns) / 1e6:.1f} ms")
    assert is_closed(client)
    control.reply(request, True, "too late")
    again = OscControl(names=NAMES, port=control.port, tcp=True)
    again.start()
    again.close()


def test_a_tcp_port_in_use_is_told_with_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        control = OscControl(names=NAMES, port=port, tcp=True)
        with pytest.raises(OscError, match=f"--osc-tcp.* port {port} .*already in use") as caught:
            control.start()
        if port_holder(port, "tcp") is not None:
            assert f"process {os.getpid()}" in str(caught.value)
        control.close()
        other = OscControl(names=NAMES, port=port)
        other.start()
        other.close()


def test_a_defect_costs_one_connection(
    control: OscControl,
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(self: tcp_connection.Connection) -> Iterator[bytes]:
        raise ZeroDivisionError("of a test")

    client = clients.connect()
    client.sendall(FRAMINGS[0](PAUSE))
    obeyed(control)
    with monkeypatch.context() as patched:
        patched.setattr(tcp_connection.Connection, "read", broken)
        client.sendall(FRAMINGS[0](PAUSE))
        assert is_closed(client)
    assert "ZeroDivisionError" in caplog.text
    clients.connect().sendall(FRAMINGS[0](PAUSE))
    assert obeyed(control)
