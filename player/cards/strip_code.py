"""The blocks of the frame strip: 48 of them, a frame number and its check. Pure arithmetic.

A strip is read from a camera or a screenshot, so it may be caught while it changes, with some
blocks already of the next frame. The code is chosen so that this is always seen:

- the number is Gray-coded, so that frame n and n + 1 differ in one of its 32 bits;
- the check is linear, so that its 16 bits then differ in the fixed pattern of that one bit.

A mixture of the two is therefore whole only if it is n or n + 1 itself: with the number's bit and
a part of the pattern, or with a part of the pattern alone, the check fails. The check's polynomial
keeps any two of these words six blocks apart, so up to five wrong blocks are seen as well.
"""

from __future__ import annotations

NUMBER_BITS = 32
CHECK_BITS = 16
BLOCKS = NUMBER_BITS + CHECK_BITS
FRAMES = 1 << NUMBER_BITS

# x^16 + x^13 + x^12 + x^11 + x^10 + x^8 + x^6 + x^5 + x^2 + 1 (IEEE 1815, DNP3): distance 6 up to
# 135 bits of data by Koopman and Chakravarty, Cyclic Redundancy Code Polynomial Selection for
# Embedded Networks, 2004, table 3. CRC-16-CCITT has distance 4 at this length.
POLYNOMIAL = 0x3D65

# Added to every word (exclusive or) so that neither all black nor all white is one, and so that
# low numbers show black and white side by side. It changes no distance.
WHITENING = 0xB4D2_695A_2E93


class StripError(Exception):
    """A strip that cannot be read, or has no room: a sentence that says why."""


def encode(frame: int) -> int:
    """The word of a frame number: 48 bits, the first block of the strip is the highest.

    Any integer is taken, modulo 2^32 (4.5 years at 30 frames a second).
    """
    number = frame % FRAMES
    gray = number ^ (number >> 1)
    return ((gray << CHECK_BITS) | check(gray)) ^ WHITENING


def decode_word(word: int) -> int:
    """The frame number (0 to 2^32 - 1) of 48 bits. Raises StripError if the check fails."""
    if not 0 <= word < 1 << BLOCKS:
        raise StripError(f"A strip has {BLOCKS} blocks; {word:#x} is not made of as many.")
    plain = word ^ WHITENING
    gray = plain >> CHECK_BITS
    if check(gray) != plain & ((1 << CHECK_BITS) - 1):
        raise StripError(
            "The strip's check fails: it was caught while it changed, or blocks of it are covered "
            "or blurred. Take the picture again."
        )
    number, shift = gray, 1
    while shift < NUMBER_BITS:
        number ^= number >> shift
        shift *= 2
    return number


def check(gray: int) -> int:
    """The remainder of the number, times x^16, by the polynomial: 16 bits, linear in `gray`."""
    remainder = 0
    for shift in range(NUMBER_BITS - 8, -1, -8):
        remainder = (remainder << 8) & 0xFFFF ^ _TABLE[(remainder >> 8) ^ (gray >> shift) & 0xFF]
    return remainder


def _remainder_of_byte(byte: int) -> int:
    remainder = byte << 8
    for _ in range(8):
        remainder = (remainder << 1) ^ (POLYNOMIAL if remainder & 0x8000 else 0)
        remainder &= 0xFFFF
    return remainder


_TABLE = tuple(_remainder_of_byte(byte) for byte in range(256))
