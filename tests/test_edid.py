"""EDIDs, from well-formed to hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.wall.edid import BLOCK_BYTES, Edid, EdidError, decode_edid
from tests.edid_blocks import edid_block


def test_a_block_says_maker_product_serial_and_name() -> None:
    edid = decode_edid(edid_block("DEL", 0x41A8, 808796492, "DELL U2720Q", "8KX7V23"))
    assert edid == Edid("DEL", 0x41A8, 808796492, "DELL U2720Q", "8KX7V23")
    assert edid.text == "DEL41A8 DELL U2720Q 8KX7V23 808796492"
    assert edid.matches("u2720q") and edid.matches("del41a8") and edid.matches("8KX7V23")
    assert not edid.matches("U2720R")


def test_what_is_not_told_is_left_out() -> None:
    assert decode_edid(edid_block("GSM", 0x0001, 0)).text == "GSM0001"


def test_extension_blocks_are_not_read() -> None:
    block = edid_block("DEL", 1, 2, "A")
    assert decode_edid(block + b"\xff" * 384) == decode_edid(block)


def test_odd_characters_are_dropped_and_the_text_ends_at_its_line_feed() -> None:
    block = bytearray(edid_block("DEL", 1, 2, "ABC"))
    start = 54 + 5
    block[start : start + 13] = b"\x00A\x1b\xe9B \nXXXXXX"
    block[127] = -sum(block[:127]) % 256
    assert decode_edid(bytes(block)).name == "AB"


def test_makers_are_letters_or_question_marks() -> None:
    block = bytearray(edid_block("AZZ", 1, 2))
    block[8:10] = (0b0_00000_11111_00001).to_bytes(2, "big")
    block[127] = -sum(block[:127]) % 256
    assert decode_edid(bytes(block)).maker == "??A"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "at least 128 bytes, this one has 0"),
        (edid_block("DEL", 1, 2)[:127], "has 127"),
        (bytes(128), "does not begin with"),
        (edid_block("DEL", 1, 2)[:-1] + b"\x99", "checksum is wrong"),
    ],
)
def test_what_is_no_edid_is_said(data: bytes, words: str) -> None:
    with pytest.raises(EdidError, match=words):
        decode_edid(data)


@given(st.binary(min_size=BLOCK_BYTES - 9, max_size=BLOCK_BYTES * 3))
def test_any_bytes_give_an_edid_of_printable_text_or_a_sentence(tail: bytes) -> None:
    block = bytearray(edid_block("DEL", 1, 2)[:8] + tail)
    if len(block) >= BLOCK_BYTES:
        block[127] = -sum(block[:127]) % 256
    if len(block) < BLOCK_BYTES:
        with pytest.raises(EdidError, match="at least 128 bytes"):
            decode_edid(bytes(block))
        return
    edid = decode_edid(bytes(block))
    assert edid.text.isprintable() and edid.text.isascii()
    assert len(edid.maker) == 3 and len(edid.name) <= 13 and len(edid.serial_text) <= 13
