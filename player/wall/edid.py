"""What a monitor says of itself: the base block of its EDID. Pure.

Source: VESA Enhanced EDID Standard, release A, section 3: a block of 128 bytes, which extension
blocks may follow. Those are not read.
"""

from __future__ import annotations

from dataclasses import dataclass

BLOCK_BYTES = 128
_HEADER = bytes.fromhex("00ffffffffffff00")
_DESCRIPTOR_OFFSETS = (54, 72, 90, 108)
_DESCRIPTOR_BYTES = 18
_NAME_TAG, _SERIAL_TAG = 0xFC, 0xFF


class EdidError(Exception):
    """Bytes that are no EDID; a sentence."""


@dataclass(frozen=True)
class Edid:
    """maker: three letters. product: 0..65535. serial: 0 if not told; the texts "" likewise."""

    maker: str
    product: int
    serial: int
    name: str
    serial_text: str

    @property
    def text(self) -> str:
        """One line, as in "DEL41A8 DELL U2720Q 8KX7V23 808796492"; what was not told is left out.

        Maker and product code are written as Windows writes them: together, the code in
        hexadecimal.
        """
        serial = str(self.serial) if self.serial else ""
        parts = (f"{self.maker}{self.product:04X}", self.name, self.serial_text, serial)
        return " ".join(part for part in parts if part)

    def matches(self, text: str) -> bool:
        """Whether `text` stands anywhere in that line, in capitals or not."""
        return text.casefold() in self.text.casefold()


def decode_edid(data: bytes) -> Edid:
    """The base block at the start of `data`. Raises EdidError.

    A wrong checksum is refused: a monitor must not be taken for another one by a damaged text.
    """
    if len(data) < BLOCK_BYTES:
        raise EdidError(f"An EDID has at least 128 bytes, this one has {len(data)}.")
    block = data[:BLOCK_BYTES]
    if block[:8] != _HEADER:
        raise EdidError("This is no EDID: it does not begin with 00 FF FF FF FF FF FF 00.")
    if sum(block) % 256:
        raise EdidError("The EDID's checksum is wrong: it was damaged on its way.")
    return Edid(
        maker=_maker(int.from_bytes(block[8:10], "big")),
        product=int.from_bytes(block[10:12], "little"),
        serial=int.from_bytes(block[12:16], "little"),
        name=_descriptor_text(block, _NAME_TAG),
        serial_text=_descriptor_text(block, _SERIAL_TAG),
    )


def _maker(code: int) -> str:
    """Three letters of five bits each, 1 for A; "?" for what is no letter."""
    numbers = (code >> 10 & 31, code >> 5 & 31, code & 31)
    return "".join(chr(64 + number) if 1 <= number <= 26 else "?" for number in numbers)


def _descriptor_text(block: bytes, tag: int) -> str:
    for start in _DESCRIPTOR_OFFSETS:
        descriptor = block[start : start + _DESCRIPTOR_BYTES]
        if descriptor[:3] == b"\0\0\0" and descriptor[3] == tag:
            raw = descriptor[5:].partition(b"\n")[0]
            return bytes(byte for byte in raw if 32 <= byte < 127).decode("ascii").strip()
    return ""
