"""What xrandr prints, read; and what it might print one day, survived."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.wall.edid import decode_edid
from player.wall.monitors import Area
from player.wall.xrandr import ask_xrandr, parse_xrandr
from tests.edid_blocks import edid_block

BLOCK = edid_block("DEL", 0x41A8, 7, "DELL U2720Q", "8KX7V23")


def edid_lines(block: bytes) -> str:
    digits = block.hex()
    return "".join(f"\t\t{digits[i : i + 32]}\n" for i in range(0, len(digits), 32))


SPACE = " "  # at the end of a line, as xrandr prints it

MODES = """\
  1920x1080 (0x4b) 148.500MHz +HSync +VSync +preferred
        h: width  1920 start 2008 end 2052 total 2200 skew    0 clock  67.50KHz
        v: height 1080 start 1084 end 1089 total 1125           clock  60.00Hz
  1920x1080 (0x4c) 148.352MHz +HSync +VSync *current
        h: width  1920 start 2008 end 2052 total 2200 skew    0 clock  67.43KHz
        v: height 1080 start 1084 end 1089 total 1125           clock  59.94Hz
  1920x1080i (0x4d) 74.250MHz +HSync +VSync Interlace
        h: width  1920 start 2008 end 2052 total 2200 skew    0 clock  33.75KHz
        v: height 1080 start 1084 end 1094 total 1125           clock  60.00Hz
"""

TEXT = f"""\
Screen 0: minimum 320 x 200, current 3000 x 1920, maximum 16384 x 16384
HDMI-1 connected primary 1920x1080+1080-40 (0x4c) normal (normal left inverted right) 527mm x 296mm
\tIdentifier: 0x42
\tGamma:      1.0:1.0:1.0
\tCRTC:       0
\tEDID:{SPACE}
{edid_lines(BLOCK + bytes(128))}\tBroadcast RGB: Automatic{SPACE}
\t\tsupported: Automatic, Full, Limited 16:235
{MODES}DP-2 connected 1080x1920+0+0 (0x4b) left (normal left inverted right x axis y axis) 0mm x 0mm
{MODES.replace(" *current", "").replace(" +preferred", " *current")}DP-3 disconnected (normal left)
\tEDID:{SPACE}
\t\tzz
DP-4 connected (normal left inverted right x axis y axis)
\tEDID:{SPACE}
{edid_lines(BLOCK[:-1] + bytes([BLOCK[-1] ^ 1]))}  640x480 (0x50) 25.175MHz
        h: width   640 start  656 end  752 total  800 skew    0 clock  31.47KHz
        v: height  480 start  490 end  492 total  525           clock  59.94Hz
"""


def test_outputs_their_places_rates_and_edids() -> None:
    hdmi, dp2, dp3, dp4 = parse_xrandr(TEXT)
    assert (hdmi.name, hdmi.is_connected) == ("HDMI-1", True)
    assert hdmi.area == Area(1080, -40, 1920, 1080)
    assert hdmi.refresh_hz == Fraction(148_352_000, 2200 * 1125)
    assert f"{float(hdmi.refresh_hz):.3f}" == "59.940"
    assert hdmi.edid == decode_edid(BLOCK)
    assert dp2.area == Area(0, 0, 1080, 1920) and dp2.refresh_hz == 60 and dp2.edid is None
    assert (dp3.is_connected, dp3.area, dp3.edid) == (False, None, None)
    assert dp4.is_connected and dp4.area is None and dp4.refresh_hz is None
    assert dp4.edid is None, "its checksum is wrong"


def test_interlaced_and_doubled_lines() -> None:
    def rate(flags: str) -> Fraction | None:
        (output,) = parse_xrandr(
            "A connected 9x9+0+0 (0x1) normal\n"
            f"  9x9 (0x1) 74.250MHz {flags} *current\n"
            "        h: width  9 total 2200 skew    0\n"
            "        v: height 9 total 1125\n"
        )
        return output.refresh_hz

    assert (rate(""), rate("Interlace"), rate("DoubleScan")) == (30, 60, 15)


@pytest.mark.parametrize(
    "mode",
    [
        "  9x9 (0x1) 0.000MHz *current\n        h: total 1\n        v: total 1\n",
        "  9x9 (0x1) 25.0MHz *current\n        h: total 0\n        v: total 1\n",
        "  9x9 (0x1) 25.0MHz *current\n",
        "  9x9 (0x1) 25.0MHz *current\n        h: total 800\n",
        "  9x9 (0x1) xMHz *current\n",
    ],
)
def test_a_rate_that_cannot_be_is_not_told(mode: str) -> None:
    (output,) = parse_xrandr("A connected 9x9+0+0 (0x1) normal\n" + mode)
    assert output.refresh_hz is None


@given(st.text(alphabet="ADMHz0123456789abcdef+-x:() \t\n*", max_size=400))
def test_any_text_is_read_to_its_end(text: str) -> None:
    for output in parse_xrandr("A connected 10x10+0+0 (0x1) x\n\tEDID:\n" + text + "\n" + TEXT):
        assert output.refresh_hz is None or output.refresh_hz > 0
        assert output.area is None or min(output.area.width, output.area.height) > 0


def test_a_flood_of_text_is_cut() -> None:
    assert len(parse_xrandr("A disconnected\n" * 200_000)) < 70_000
    assert parse_xrandr("x" * 3_000_000) == ()


@pytest.mark.parametrize(
    "script",
    ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho 'A connected 9x9+0+0 (0x1) x'; exit 1\n", "nothing"],
)
def test_an_xrandr_that_fails_tells_nothing(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_xrandr() is None, "not installed"
    program = tmp_path / "xrandr"
    program.write_text(script)
    program.chmod(0o755)
    assert ask_xrandr() is None


def test_an_xrandr_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **options: object) -> None:
        assert isinstance(options["timeout"], float)
        raise subprocess.TimeoutExpired("xrandr", options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    assert ask_xrandr() is None
