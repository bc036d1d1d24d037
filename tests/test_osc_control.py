"""Parsing, refusing, answering; over real sockets and with liblo's oscsend."""

import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest
from pythonosc.osc_message import OscMessage

from player import commands
from player.commands import Command, CommandError
from player.osc.control import OscControl, OscError, Request
from player.osc.port_holder import udp_port_holder
from player.osc.ports import Sender
from player.osc.rows import Names
from player.osc.table import parse_message
from shows.schema import ShowError
from tests.test_osc_packets import bundle, nested, packet
from tests.tick_helpers import wait_for

IDS = ("twa-corbies", "tam-lin", "the-elfin-knight")
NAN, INFINITE = float("nan"), float("inf")


def resolve(wanted: str | int) -> str:
    if isinstance(wanted, int) and 1 <= wanted <= len(IDS):
        return IDS[wanted - 1]
    if wanted in IDS:
        return str(wanted)
    raise ShowError(f"there is no ballad {wanted!r}; there are {', '.join(IDS)}")


NAMES = Names(resolve, 7, {"left": (0, 1, 2)})


def parse(address: str, *args: object) -> Command | None:
    return parse_message(address, args, NAMES)


Answers = list[tuple[list[object], Sender]]


@pytest.fixture
def answers() -> Answers:
    return []


@pytest.fixture
def deaf(answers: Answers) -> OscControl:
    """A control without a socket, whose answers are collected."""

    def send(datagram: bytes, sender: Sender) -> None:
        message = OscMessage(datagram)
        assert message.address == "/reply"
        answers.append((message.params, sender))

    return OscControl(names=NAMES, send=send)


@pytest.fixture
def control() -> Iterator[OscControl]:
    control = OscControl(names=NAMES, port=0)
    control.start()
    yield control
    control.close()


@pytest.fixture
def operator() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(5)
        yield opened


@pytest.mark.parametrize(
    ("address", "args", "command"),
    [
        ("/ballad", (2,), commands.SetBallad("tam-lin")),
        ("/ballad", (2.0,), commands.SetBallad("tam-lin")),
        ("/ballad", ("2",), commands.SetBallad("tam-lin")),
        ("/ballad", (" 2.0 ",), commands.SetBallad("tam-lin")),
        ("/ballad", ("tam-lin",), commands.SetBallad("tam-lin")),
        ("/screen/1/ballad", (3,), commands.SetScreenBallad(0, "the-elfin-knight")),
        ("/screen/7/ballad", ("twa-corbies",), commands.SetScreenBallad(6, "twa-corbies")),
        ("/ballad/each", (), commands.EachOwn()),
        ("/ballad/next", (), commands.NextBallad()),
        ("/ballad/next", (1.0,), commands.NextBallad()),
        ("/ballad/next", (0.0,), None),
        ("/ballad/previous", (True,), commands.PreviousBallad()),
        ("/pause", (), commands.Pause()),
        ("/pause", (False,), None),
        ("/play", ("1",), commands.Play()),
        ("/blackout", (1,), commands.Blackout(on=True)),
        ("/blackout", (0.0,), commands.Blackout(on=False)),
        ("/blackout", (True,), commands.Blackout(on=True)),
        ("/blackout", ("off",), commands.Blackout(on=False)),
        ("/status", (), commands.QueryStatus()),
    ],
)
def test_addresses(address: str, args: tuple[object, ...], command: Command | None) -> None:
    assert parse(address, *args) == command


@pytest.mark.parametrize(
    ("address", "args"),
    [
        ("/ballad", (1, 2)),
        ("/ballad", (1.5,)),
        ("/ballad", ("1.5",)),
        ("/ballad", (NAN,)),
        ("/ballad", (INFINITE,)),
        ("/ballad", (-INFINITE,)),
        ("/ballad", (1e300,)),
        ("/ballad", (2**62,)),
        ("/ballad", (0,)),
        ("/ballad", (4,)),
        ("/ballad", (-1,)),
        ("/ballad", (True,)),
        ("/ballad", (None,)),
        ("/ballad", ("",)),
        ("/ballad", ("  ",)),
        ("/ballad", ("nan",)),
        ("/ballad", ("²",)),
        ("/ballad", ("x" * 3000,)),
        ("/ballad", ("no such",)),
        ("/screen/0/ballad", (1,)),
        ("/screen/8/ballad", (1,)),
        ("/screen/-1/ballad", (1,)),
        ("/screen/1.0/ballad", (1,)),
        ("/screen/\u0661/ballad", (1,)),
        ("/screen/99999999999999999999/ballad", (1,)),
        ("/screen/*/ballad", (1,)),
        ("/screen//ballad", (1,)),
        ("/blackout", (2,)),
        ("/blackout", (0.5,)),
        ("/blackout", (NAN,)),
        ("/blackout", ("maybe",)),
        ("/blackout", (None,)),
        ("/blackout", (0, -1)),
        ("/blackout", (0, 1, 2)),
        ("/group/none/ballad", (1,)),
        ("/pause", ("now",)),
        ("/pause", (1, 1)),
        ("/ballad/next", (7,)),
        ("/ballad/", (1,)),
        ("/Ballad", (1,)),
        ("/ball*", (1,)),
        ("/", ()),
        ("", ()),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    address: str, args: tuple[object, ...]
) -> None:
    with pytest.raises(CommandError) as caught:
        parse(address, *args)
    assert 10 < len(str(caught.value)) < 500


def test_an_unknown_ballad_and_address_are_answered_with_the_choices() -> None:
    with pytest.raises(CommandError, match="twa-corbies, tam-lin"):
        parse("/ballad", "macbeth")
    with pytest.raises(CommandError, match="/ballad/next"):
        parse("/baladd", 1)
    with pytest.raises(CommandError, match="1 to 7"):
        parse("/screen/8/ballad", 1)


def test_a_command_waits_for_the_frame_loop_and_is_answered_by_it(
    deaf: OscControl, answers: Answers
) -> None:
    deaf.handle_datagram(packet("/ballad", 2), ("10.0.0.9", 4000))
    assert answers == []
    (request,) = deaf.take_requests()
    assert request.command == commands.SetBallad("tam-lin")
    assert deaf.take_requests() == []
    deaf.reply(request, True, "Tam Lin")
    deaf.reply(request, False, "not now")
    assert answers == [
        (["/ballad", "ok", "Tam Lin"], ("10.0.0.9", 4000)),
        (["/ballad", "error", "not now"], ("10.0.0.9", 4000)),
    ]
    assert deaf.errors == 1


def test_triggers_are_never_merged(deaf: OscControl) -> None:
    deaf.handle_datagram(bundle(packet("/ballad/next"), packet("/ballad/next")), None)
    deaf.handle_datagram(packet("/ballad/next"), None)
    assert [r.command for r in deaf.take_requests()] == [commands.NextBallad()] * 3


def test_a_released_button_is_answered_and_does_nothing(deaf: OscControl, answers: Answers) -> None:
    deaf.handle_datagram(packet("/pause", 0.0), None)
    assert deaf.take_requests() == []
    assert answers[0][0][:2] == ["/pause", "ok"]
    assert deaf.errors == 0


def test_underscore_addresses_and_answers_go_unanswered(deaf: OscControl, answers: Answers) -> None:
    for data in (
        packet("/_samplerate", 44100),
        b"/_x\0,b\0\0",
        packet("/reply", "/ballad", "error", "?"),
        b"/reply\0\0,I\0\0",
    ):
        deaf.handle_datagram(data, None)
    assert answers == []
    assert deaf.errors == 0
    assert deaf.take_requests() == []


def test_too_many_commands_are_refused_and_the_first_kept(
    deaf: OscControl, answers: Answers
) -> None:
    for _ in range(70):
        deaf.handle_datagram(packet("/pause"), None)
    assert len(deaf.take_requests()) == 64
    assert deaf.errors == len(answers) == 6
    assert all(args[:2] == ["/pause", "error"] for args, _ in answers)
    deaf.handle_datagram(packet("/play"), None)
    assert len(deaf.take_requests()) == 1


def test_a_defect_behind_an_address_costs_one_answer(answers: Answers) -> None:
    def broken(wanted: str | int) -> str:
        raise ZeroDivisionError("oops")

    control = OscControl(
        names=Names(broken, 7),
        send=lambda datagram, sender: answers.append((OscMessage(datagram).params, sender)),
    )
    control.handle_datagram(packet("/ballad", 1), None)
    assert answers[0][0][1] == "error"
    control.handle_datagram(packet("/play"), None)
    assert len(control.take_requests()) == 1


def test_no_packet_stops_the_next(deaf: OscControl, answers: Answers) -> None:
    dice = random.Random(7)
    seeds = [
        packet("/ballad", 2),
        packet("/ballad", "tam-lin"),
        packet("/ballad", 2.0),
        packet("/screen/3/ballad", 1),
        packet("/blackout", True),
        packet("/ballad/next"),
        packet("/" + "*" * 40, 1),
        packet("/a", [1, [2, [3]]]),
        bundle(packet("/ballad", 1), bundle(packet("/pause"))),
        nested(100),
        b"/ballad\0," + b"[" * 3000 + b"]" * 1000,
    ]
    for number in range(20_000):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(dice.randrange(1, 6)):
            kind = dice.randrange(3)
            at = dice.randrange(len(data) + 1)
            if kind == 0 and at < len(data):
                data[at] = dice.randrange(256)
            elif kind == 1:
                data[at:at] = dice.randbytes(dice.randrange(1, 9))
            else:
                del data[at : at + dice.randrange(1, 9)]
        deaf.handle_datagram(bytes(data), ("127.0.0.1", number))
        if number % 50 == 0:
            deaf.take_requests()
    deaf.take_requests()
    assert deaf.errors > 10_000
    answers.clear()
    deaf.handle_datagram(packet("/ballad", 2), None)
    assert [r.command for r in deaf.take_requests()] == [commands.SetBallad("tam-lin")]


def heard(operator: socket.socket) -> list[object]:
    message = OscMessage(operator.recv(8192))
    assert message.address == "/reply"
    return list(message.params)


def arrived(control: OscControl) -> list[Request]:
    requests: list[Request] = []

    def something() -> bool:
        requests.extend(control.take_requests())
        return bool(requests)

    assert wait_for(something)
    return requests


def test_over_a_socket(control: OscControl, operator: socket.socket) -> None:
    where = ("127.0.0.1", control.port)
    for garbage in (b"", b"\0" * 4000, os.urandom(300), b"/ballad", bytes(60_000)):
        operator.sendto(garbage, where)
        assert heard(operator)[1] == "error"
    operator.sendto(packet("/ballad", 9), where)
    assert heard(operator)[:2] == ["/ballad", "error"]
    assert control.errors == 6

    operator.sendto(packet("/screen/2/ballad", 3), where)
    requests = arrived(control)
    control.reply(requests[0], True, "done")
    assert heard(operator) == ["/screen/2/ballad", "ok", "done"]


@pytest.mark.skipif(shutil.which("oscsend") is None, reason="oscsend (liblo-tools) is missing")
@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/ballad i 3", commands.SetBallad("the-elfin-knight")),
        ("/ballad f 3", commands.SetBallad("the-elfin-knight")),
        ("/ballad d 3", commands.SetBallad("the-elfin-knight")),
        ("/ballad h 3", commands.SetBallad("the-elfin-knight")),
        ("/ballad s tam-lin", commands.SetBallad("tam-lin")),
        ("/screen/7/ballad i 1", commands.SetScreenBallad(6, "twa-corbies")),
        ("/ballad/each", commands.EachOwn()),
        ("/ballad/previous", commands.PreviousBallad()),
        ("/blackout T", commands.Blackout(on=True)),
        ("/blackout i 0", commands.Blackout(on=False)),
        ("/status", commands.QueryStatus()),
    ],
)
def test_oscsend_is_understood(control: OscControl, line: str, command: Command) -> None:
    subprocess.run(
        ["oscsend", "localhost", str(control.port), *line.split()], check=True, timeout=10
    )
    requests = arrived(control)
    assert [request.command for request in requests] == [command]
    assert control.errors == 0


def test_a_port_in_use_is_told_with_its_holder(control: OscControl) -> None:
    second = OscControl(names=NAMES, port=control.port)
    with pytest.raises(OscError, match=str(control.port)) as caught:
        second.start()
    assert "already in use" in str(caught.value)
    if udp_port_holder(control.port) is not None:
        assert f"process {os.getpid()}" in str(caught.value)
    second.close()


@pytest.mark.parametrize(
    ("host", "port"),
    [("no.such.host.invalid", 9000), ("127.0.0.1", 70000), ("127.0.0.1", -1), ("192.0.2.1", 0)],
)
def test_a_place_that_cannot_be_listened_at_is_told(host: str, port: int) -> None:
    with pytest.raises(OscError, match="--osc-"):
        OscControl(names=NAMES, host=host, port=port).start()


def test_nothing_is_opened_before_start_and_nothing_left_after_close() -> None:
    first = OscControl(names=NAMES, port=0)
    first.start()
    first.close()
    first.close()
    again = OscControl(names=NAMES, port=first.port)
    again.start()
    with pytest.raises(OscError, match="only once"):
        again.start()
    again.close()
    OscControl(names=NAMES, port=again.port).close()


def test_an_answer_after_close_goes_nowhere_quietly(
    control: OscControl, operator: socket.socket
) -> None:
    operator.sendto(packet("/play"), ("127.0.0.1", control.port))
    requests = arrived(control)
    control.close()
    control.reply(requests[0], True, "too late")
