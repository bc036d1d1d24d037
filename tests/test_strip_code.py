"""The code of the frame strip: no error of a few blocks and no mixture of neighbours passes."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.cards.strip_code import (
    BLOCKS,
    CHECK_BITS,
    FRAMES,
    StripError,
    check,
    decode_word,
    encode,
)

FRAME = st.integers(0, FRAMES - 1)
ALL = (1 << BLOCKS) - 1


@given(FRAME)
def test_what_is_encoded_is_decoded(frame: int) -> None:
    word = encode(frame)
    assert 0 <= word <= ALL
    assert decode_word(word) == frame


@given(st.integers(-(1 << 70), 1 << 70))
def test_any_integer_counts_modulo_two_to_the_32(frame: int) -> None:
    assert decode_word(encode(frame)) == frame % FRAMES


@pytest.mark.parametrize("frame", [0, 1, 1799, 0x7FFFFFFF, 0x80000000, FRAMES - 1])
def test_one_or_two_flipped_blocks_are_detected(frame: int) -> None:
    word = encode(frame)
    flips = [1 << n for n in range(BLOCKS)]
    flips += [a | b for a, b in combinations(flips, 2)]
    for flip in flips:
        with pytest.raises(StripError):
            decode_word(word ^ flip)


def test_words_are_six_blocks_apart() -> None:
    # the code is linear, so it is enough that no five columns of the check matrix cancel out:
    # no sum of one or two is a sum of up to three others
    columns = [(1 << (n + CHECK_BITS)) >> CHECK_BITS for n in range(BLOCKS - CHECK_BITS)]
    syndromes = [check(bit) for bit in columns] + [1 << n for n in range(CHECK_BITS)]
    seen: set[int] = {0}
    for count in (1, 2):
        for some in combinations(range(BLOCKS), count):
            value = 0
            for n in some:
                value ^= syndromes[n]
            assert value not in seen
            seen.add(value)
    # sums of three differ from all those of up to two
    for a, b, c in combinations(syndromes, 3):
        assert a ^ b ^ c not in seen


@given(FRAME, st.integers(0, ALL))
def test_any_mixture_of_a_frame_and_the_next_is_one_of_them_or_detected(
    frame: int, mask: int
) -> None:
    mixed = encode(frame) & ~mask | encode(frame + 1) & mask
    try:
        seen = decode_word(mixed)
    except StripError:
        return
    assert seen in (frame, (frame + 1) % FRAMES)


@pytest.mark.parametrize("frame", [*range(70), 0x7FFFFFFF, FRAMES - 1])
def test_every_split_between_a_frame_and_the_next_is_detected(frame: int) -> None:
    old, new = encode(frame), encode(frame + 1)
    mixtures = 0
    for split in range(BLOCKS + 1):
        low = (1 << split) - 1
        mixed = old & ~low | new & low
        if mixed in (old, new):
            continue
        mixtures += 1
        with pytest.raises(StripError):
            decode_word(mixed)
    assert mixtures >= 5


def test_neither_all_black_nor_all_white_is_a_frame() -> None:
    for word in (0, ALL):
        with pytest.raises(StripError):
            decode_word(word)


@pytest.mark.parametrize("word", [-1, 1 << BLOCKS])
def test_a_word_of_another_length_is_refused(word: int) -> None:
    with pytest.raises(StripError, match="48 blocks"):
        decode_word(word)
