"""The addresses of calibration and cards: understood, or refused in a sentence."""

from __future__ import annotations

import contextlib
import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player import commands
from player.calibration_desk import CalibrationDesk
from player.commands import Command, CommandError
from player.osc import packets as osc_packets
from player.osc.control import OscControl
from player.osc.table import SECTIONS
from tests.test_osc_control import INFINITE, NAMES, NAN, arrived, parse
from tests.test_osc_packets import packet

Set, Query = commands.SetCalibration, commands.QueryCalibration


def float32(value: float) -> float:
    """As OSC's type f carries it."""
    return float(struct.unpack(">f", struct.pack(">f", value))[0])


@pytest.mark.parametrize(
    ("address", "args", "command"),
    [
        ("/screen/3/brightness", (0.5,), Set(2, "brightness", (0.5,))),
        ("/screen/3/brightness", (1,), Set(2, "brightness", (1.0,))),
        ("/screen/3/brightness", ("0.75",), Set(2, "brightness", (0.75,))),
        ("/screen/3/brightness", (float32(0.9),), Set(2, "brightness", (0.9,))),
        ("/screen/3/brightness", (), Query(2, "brightness")),
        ("/screen/3/brightness", ("?",), Query(2, "brightness")),
        ("/screen/1/gamma", (5,), Set(0, "gamma", (5.0,))),
        ("/screen/1/black", (float32(0.2),), Set(0, "black", (0.2,))),
        ("/screen/7/colour", (1, 0.97, "1.1"), Set(6, "colour", (1.0, 0.97, 1.1))),
        ("/screen/7/colour", (), Query(6, "colour")),
        ("/screen/1/rotation", (90,), Set(0, "rotation", (90,))),
        ("/screen/1/rotation", (270.0,), Set(0, "rotation", (270,))),
        ("/screen/1/rotation", ("180",), Set(0, "rotation", (180,))),
        ("/screen/1/rotation", (), Query(0, "rotation")),
        ("/screen/1/flip", (" Both ",), Set(0, "flip", ("both",))),
        ("/screen/1/fit", ("cover",), Set(0, "fit", ("cover",))),
        ("/screen/1/fit", ("show",), Set(0, "fit", ("show",))),
        ("/screen/1/crop", (0, 0.1, 0.2, 0.3), Set(0, "crop", (0.0, 0.1, 0.2, 0.3))),
        ("/screen/1/corner/1", (-0.01, 0.02), Set(0, "corner/1", (-0.01, 0.02))),
        ("/screen/1/corner/4", ("-.5", "1e-2"), Set(0, "corner/4", (-0.5, 0.01))),
        ("/screen/1/corner/2", (), Query(0, "corner/2")),
        ("/screen/1/blend", (0.1, 0, 0.1, 0), Set(0, "blend", (0.1, 0.0, 0.1, 0.0))),
        ("/screen/1/calibration", (), Query(0, None)),
        ("/screen/1/calibration", ("?",), Query(0, None)),
        ("/screen/2/calibration/reset", (), commands.ResetCalibration(1)),
        ("/screen/2/calibration/reset", (1,), commands.ResetCalibration(1)),
        ("/screen/2/calibration/reset", (0,), None),
        ("/calibration/undo", (), commands.UndoCalibration()),
        ("/calibration/redo", (1.0,), commands.RedoCalibration()),
        ("/calibration/save", (True,), commands.SaveCalibration()),
        ("/calibration/save", (0,), None),
        ("/identify", (1,), commands.Identify(None, True)),
        ("/identify", (), commands.Identify(None, True)),
        ("/identify", (0.0,), commands.Identify(None, False)),
        ("/screen/4/identify", ("on",), commands.Identify((3,), True)),
        ("/screen/4/identify", (False,), commands.Identify((3,), False)),
        ("/card", ("calibration",), commands.ShowCard(True)),
        ("/card", ("None",), commands.ShowCard(False)),
    ],
)
def test_addresses(address: str, args: tuple[object, ...], command: Command | None) -> None:
    assert parse(address, *args) == command


@pytest.mark.parametrize(
    ("address", "args", "sentence"),
    [
        ("/screen/0/gamma", (1.0,), "no screen 0: the screens are 1 to 7"),
        ("/screen/8/identify", (1,), "no screen 8"),
        ("/screen/1/gama", (1.0,), "unknown address '/screen/1/gama'.* gamma"),
        ("/screen/1/corner/0", (0, 0), r"unknown address.* corner/1"),
        ("/screen/1/corner/5", (0, 0), "unknown address"),
        ("/screen/1/corner", (0, 0), "unknown address"),
        ("/screen/1/calibration/undo", (), "unknown address"),
        ("/calibration", (), "unknown address.* /calibration/save"),
        ("/screen/1/gamma", (1.0, 2.0), "takes one argument, gamma .*it got 2"),
        ("/screen/1/gamma", (NAN,), "takes numbers such as 0.5, not 'nan'"),
        ("/screen/1/gamma", (INFINITE,), "takes numbers"),
        ("/screen/1/gamma", (1e300,), "far out of range"),
        ("/screen/1/gamma", (2**62,), "far out of range"),
        ("/screen/1/gamma", (True,), "takes numbers"),
        ("/screen/1/gamma", (None,), "takes numbers"),
        ("/screen/1/gamma", ("",), "takes numbers"),
        ("/screen/1/gamma", ("1,5",), "takes numbers"),
        ("/screen/1/gamma", ("0x10",), "takes numbers"),
        ("/screen/1/gamma", ("1_0",), "takes numbers"),
        ("/screen/1/gamma", ("\u0661",), "takes numbers"),
        ("/screen/1/gamma", ("9" * 3000,), "takes numbers"),
        ("/screen/1/gamma", ("1e99",), "far out of range"),
        ("/screen/1/colour", (1.0,), "takes 3 arguments, red, green, blue .*it got 1"),
        ("/screen/1/crop", (0, 0, 0), "takes 4 arguments, left, top, right, bottom"),
        ("/screen/1/corner/1", (0.1,), "takes 2 arguments, x, y"),
        ("/screen/1/rotation", (90.5,), "takes 0, 90, 180 or 270"),
        ("/screen/1/rotation", (True,), "takes 0, 90, 180 or 270"),
        ("/screen/1/rotation", ("left",), "takes 0, 90, 180 or 270"),
        ("/screen/1/rotation", (90, 90), "it got 2"),
        ("/screen/1/flip", (1,), "takes one of none, horizontal, vertical, both"),
        ("/screen/1/flip", ("both", "both"), "takes one argument"),
        ("/screen/1/fit", ("fill",), "takes one of cover, contain, stretch, show"),
        ("/screen/1/calibration", (1,), "takes no argument"),
        ("/screen/1/calibration/reset", ("now",), "takes 0 or 1"),
        ("/calibration/undo", (1, 1), "takes no argument"),
        ("/identify", (2,), "takes 0 or 1"),
        ("/identify", (1, 1), "takes one argument, 0 or 1"),
        ("/identify", (None,), "takes 0 or 1"),
        ("/card", ("a", "b"), "takes one argument, calibration or none"),
        ("/card", (1,), "takes one of calibration, none"),
        ("/card", ("ace",), "takes one of calibration, none, not 'ace'"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(
    address: str, args: tuple[object, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        parse(address, *args)
    assert len(str(caught.value)) < 500


anything = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(), st.text(max_size=20)
)


PARTS = [
    row.path.removeprefix("/screen/{screen}/")
    for row in SECTIONS["Calibration"]
    if row.path.startswith("/screen/")
]


@given(st.sampled_from(PARTS), st.lists(anything, max_size=5))
def test_no_arguments_do_anything_but_change_or_refuse(part: str, args: list[object]) -> None:
    """Parsed and obeyed: refused at the worst, and never a value that is not in range."""
    here = CalibrationDesk(["a"], {}, None)
    with contextlib.suppress(CommandError):
        command = parse(f"/screen/1/{part}", *args)
        if isinstance(command, commands.SetCalibration | commands.ResetCalibration):
            assert here.obey(command)
    (now,) = here.calibrations
    assert 0.2 <= now.gamma <= 5 and 0 <= now.brightness <= 2 and max(now.blend) <= 0.5


def test_the_bits_of_a_datagram_become_the_number_that_was_meant() -> None:
    (message,) = osc_packets.decode_packet(packet("/screen/1/blend", 0.1, 0.2, 0.3, 0.45))
    assert message.arguments[0] != 0.1
    assert parse(message.address, *message.arguments) == Set(0, "blend", (0.1, 0.2, 0.3, 0.45))
    for value in (0.2, 0.45, 0.987654, 1.5, 4.999):
        assert parse("/screen/1/gamma", float32(value)) == Set(0, "gamma", (value,))


@pytest.mark.skipif(shutil.which("oscsend") is None, reason="oscsend (liblo-tools) is missing")
@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/screen/2/brightness f 0.9", Set(1, "brightness", (0.9,))),
        ("/screen/2/corner/3 ff 0.98 1.01", Set(1, "corner/3", (0.98, 1.01))),
        ("/screen/2/rotation i 90", Set(1, "rotation", (90,))),
        ("/screen/2/flip s horizontal", Set(1, "flip", ("horizontal",))),
        ("/screen/2/gamma", Query(1, "gamma")),
        ("/calibration/undo", commands.UndoCalibration()),
        ("/screen/7/identify i 1", commands.Identify((6,), True)),
        ("/card s calibration", commands.ShowCard(True)),
    ],
)
def test_oscsend_is_understood(line: str, command: Command) -> None:
    control = OscControl(names=NAMES, port=0)
    control.start()
    try:
        subprocess.run(
            ["oscsend", "localhost", str(control.port), *line.split()], check=True, timeout=10
        )
        assert [request.command for request in arrived(control)] == [command]
        assert control.errors == 0
    finally:
        control.close()
