"""EDID base blocks for tests, made from the standard's table of fields."""

from __future__ import annotations


def edid_block(
    maker: str, product: int, serial: int, name: str = "", serial_text: str = ""
) -> bytes:
    """128 bytes with a right checksum; the texts take the first two descriptors."""
    block = bytearray(128)
    block[:8] = b"\x00\xff\xff\xff\xff\xff\xff\x00"
    letters = [ord(letter) - 64 for letter in maker]
    block[8:10] = (letters[0] << 10 | letters[1] << 5 | letters[2]).to_bytes(2, "big")
    block[10:12] = product.to_bytes(2, "little")
    block[12:16] = serial.to_bytes(4, "little")
    for start, tag, text in ((54, 0xFC, name), (72, 0xFF, serial_text)):
        if text:
            padded = (text + "\n").ljust(13)[:13]
            block[start : start + 18] = bytes((0, 0, 0, tag, 0)) + padded.encode("ascii")
    block[127] = -sum(block) % 256
    return bytes(block)
