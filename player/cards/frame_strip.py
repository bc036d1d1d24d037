"""The strip that shows a screen's frame number, for people and for machines. Pure; no Pillow.

It is made of square blocks, 16 wide and 10 high, in the screen's bottom left corner:

    two blocks high    the number in digits
    eight blocks high  a black rim; inside it a white line down the left and along the bottom, and
                       along the top and down the right blocks in turn white and black; inside
                       those 4 rows of 12 blocks (strip_code.py), white for 1

The lines say where the strip is and how large, the turns how large a block is (as in a Data
Matrix, ISO/IEC 16022, of which nothing else is used). The picture has four pixels a block, so that
a digit's dot is a pixel, and is drawn without smoothing. `strip_reader.py` reads it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from player.cards.strip_code import FRAMES, StripError, encode

ACROSS_BLOCKS = 16
CODE_DOWN_BLOCKS = 8
DIGITS_DOWN_BLOCKS = 2
DOWN_BLOCKS = DIGITS_DOWN_BLOCKS + CODE_DOWN_BLOCKS
ROWS, COLUMNS = 4, 12
DOTS_PER_BLOCK = 4

# a block's side as a share of the screen's shorter side, before rounding down
BLOCKS_PER_SIDE = 60

_DIGITS = """
.###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###.
#...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...#
#..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...#
#.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .####
##..# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....#
#...# ..#.. .#... #...# ...#. #...# #...# ..#.. #...# ...#.
.###. .###. ##### .###. ...#. .###. .###. ..#.. .###. .##..
"""


def digit_dots() -> NDArray[np.uint8]:
    """The ten digits as dots, uint8 [10, 7, 5], 255 where a dot is lit."""
    rows = [line.split() for line in _DIGITS.strip().splitlines()]
    dots = [[[255 * (dot == "#") for dot in row[n]] for row in rows] for n in range(10)]
    return np.array(dots, np.uint8)


def code_frame() -> NDArray[np.int8]:
    """What of the code never changes, int8 [8, 16]: 1 white, 0 black, -1 a block of the word."""
    blocks = np.zeros((CODE_DOWN_BLOCKS, ACROSS_BLOCKS), np.int8)
    inner = blocks[1:-1, 1:-1]
    inner[0, ::2] = 1
    # down the right from the bottom corner, where two white lines end
    inner[::-2, -1] = 1
    inner[:, 0] = 1
    inner[-1, :] = 1
    inner[1:-1, 1:-1] = -1
    return blocks


def _template() -> NDArray[np.uint8]:
    blocks = np.zeros((DOWN_BLOCKS, ACROSS_BLOCKS), np.uint8)
    blocks[DIGITS_DOWN_BLOCKS:] = np.where(code_frame() == 1, 255, 0)
    grey = blocks.repeat(DOTS_PER_BLOCK, axis=0).repeat(DOTS_PER_BLOCK, axis=1)
    picture = np.repeat(grey[..., None], 4, axis=2)
    picture[..., 3] = 255
    return picture


_GLYPHS = digit_dots()
_GLYPH_DOWN, _GLYPH_ACROSS = _GLYPHS.shape[1:]
_TEMPLATE = _template()
_DIGITS_TOP, _DIGITS_LEFT = 1, 3
_CODE_TOP = (DIGITS_DOWN_BLOCKS + 2) * DOTS_PER_BLOCK
_CODE_LEFT = 2 * DOTS_PER_BLOCK


def strip_picture(frame: int) -> NDArray[np.uint8]:
    """The strip of a frame, uint8 [40, 64, 4], top row first, for `strip_rectangle` of a screen.

    The same for screens of every size. Any integer is taken, modulo 2^32; the digits show that
    too. Made for every frame, so it is cheap: some 40 microseconds.
    """
    picture = _TEMPLATE.copy()
    word = encode(frame)
    bits = np.unpackbits(np.frombuffer(word.to_bytes(6, "big"), np.uint8)).reshape(ROWS, COLUMNS)
    shape = (ROWS, DOTS_PER_BLOCK, COLUMNS, DOTS_PER_BLOCK, 3)
    code = picture[
        _CODE_TOP : _CODE_TOP + ROWS * DOTS_PER_BLOCK,
        _CODE_LEFT : _CODE_LEFT + COLUMNS * DOTS_PER_BLOCK,
        :3,
    ]
    lit = np.broadcast_to((bits * 255)[:, None, :, None, None], shape)
    code[...] = lit.reshape(code.shape)
    for place, digit in enumerate(str(frame % FRAMES)):
        left = _DIGITS_LEFT + place * (_GLYPH_ACROSS + 1)
        picture[_DIGITS_TOP : _DIGITS_TOP + _GLYPH_DOWN, left : left + _GLYPH_ACROSS, :3] = _GLYPHS[
            int(digit)
        ][..., None]
    return picture


def block_px(size_px: tuple[int, int]) -> int:
    """The side of a block on a screen of (width, height) in pixels.

    A sixtieth of the shorter side, in whole dots of a digit (4, 8, 12 ... px); below 240 pixels,
    where a dot would be less than a pixel, 2 px, and the digits cannot be read.
    """
    dot_px = min(size_px) // (BLOCKS_PER_SIDE * DOTS_PER_BLOCK)
    return dot_px * DOTS_PER_BLOCK if dot_px else 2


def strip_rectangle(size_px: tuple[int, int], enlarged: int = 1) -> tuple[int, int, int, int]:
    """Where the strip stands on a screen of (width, height): (x, y, width, height) in pixels.

    From the top left, in the bottom left corner. enlarged: 1, or 2 for a strip twice as large.
    Raises StripError if the screen is too small (below 32x20 pixels, or twice that).
    """
    width, height = size_px
    block = block_px(size_px) * enlarged
    across, down = ACROSS_BLOCKS * block, DOWN_BLOCKS * block
    if across > width or down > height:
        raise StripError(
            f"A screen of {width}x{height} pixels has no room for a frame strip; "
            f"it needs {across}x{down}. Leave the strip off there."
        )
    return 0, height - down, across, down
