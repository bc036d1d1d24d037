"""Damaged and doctored copies of the golden pickles: input `index` of a seed is always the same.

A mutant is one of the bases with a few edits. Most edits know the opcodes (their places come from
pickletools, also inside the torch storages, which hold five pickles each) and leave the numbers of
the tensors alone, since a changed weight is a good file.
"""

from __future__ import annotations

import pickletools
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.hostile_calls import CALLS
from tests.hostile_words import WORDS
from tests.legacy_files import encode
from tests.pickle_bases import Base, Token

MOST_EDITS = 6
OPCODES = [ord(opcode.code) for opcode in pickletools.opcodes]
NUMBER_WIDTHS = {
    **dict.fromkeys(b"KhqCU\x80\x82\x8a\x8c", 1),
    **dict.fromkeys(b"M\x83", 2),
    **dict.fromkeys(b"JjrXBT\x84\x8b", 4),
    **dict.fromkeys(b"\x8d\x8e\x95\x96", 8),
}  # opcodes whose argument is or begins with a little-endian number: a value, a length, an index
NUMBERS = bytes(NUMBER_WIDTHS)
GETS = b"hj"
TEXTS = b"X\x8c"
VALUES = b"KMJGN\x88\x89\x8a"
OTHER_VALUES: tuple[object, ...] = (
    0, 1, -1, 2, 3, 4, 16, 2**14, 2**16, 2**20, 2**31 - 1, 2**40, 2**100, 0.5, -0.0, 1e-300, 1e300,
    float("nan"), float("inf"), None, True, "", "orig", "\u202e\x1b[m", b"", (), [], {}, [1] * 4,
    {"a": {"a": []}}, {1: 2},
)  # fmt: skip
SNIPPETS = [
    *(encode(value) for _, _, value in (*CALLS.values(), *WORDS.values())),
    *(bytes([opcode]) for opcode in OPCODES),
    b"((((", b"\x85" * 50, b"\x94" * 50, b"]\x94" * 20, b"h\x00" * 20, b"\x80\x04N.",
    b"\x8a\xff" + b"\x7f" * 255, b"G\x7f\xf8" + bytes(6), b"X\x03\x00\x00\x00\xed\xa0\x80",
]  # fmt: skip


@dataclass(frozen=True)
class Edit:
    start: int
    stop: int
    new: bytes


def mutant(bases: Sequence[Base], seed: int, index: int) -> bytes:
    """Input number `index` of a run: always the same bytes for the same bases and seed."""
    dice = random.Random(f"{seed} {index}")
    base = dice.choices(bases, [base.weight for base in bases])[0]
    edits: list[Edit] = []
    while len(edits) < MOST_EDITS and (not edits or dice.random() < 0.4):
        kind = dice.choices(_KINDS, _ODDS)[0]
        edits.append(kind(base, dice, bases))
    if dice.random() < 0.5:
        edits += _mended_lengths(base, edits)
    return applied(base.data, edits)


def applied(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The data with all edits; of two that overlap the one that begins first stands."""
    parts, position = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.stop)):
        if edit.start >= position:
            parts += [data[position : edit.start], edit.new]
            position = edit.stop
    return b"".join([*parts, data[position:]])


def _mended_lengths(base: Base, edits: Sequence[Edit]) -> list[Edit]:
    """Lengths of storages made right again, so that what was done inside of them is reached."""
    growth: dict[Token, int] = {}
    for edit in edits:
        for token in base.storages:
            if token.opcode == ord("B") and token.start + 5 <= edit.start < token.stop:
                growth[token] = growth.get(token, 0) + len(edit.new) - (edit.stop - edit.start)
    return [
        Edit(t.start + 1, t.start + 5, struct.pack("<I", max(0, t.stop - t.start - 5 + more)))
        for t, more in growth.items()
        if more
    ]


# Kinds of edit.

Kind = Callable[[Base, random.Random, Sequence[Base]], Edit]


def _flip_bit(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    position = base.short_position(dice)
    return Edit(position, position + 1, bytes([base.data[position] ^ (1 << dice.randrange(8))]))


def _set_byte(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    position = base.short_position(dice)
    return Edit(
        position, position + 1, bytes([dice.choice((0, 1, 127, 128, 255, dice.randrange(256)))])
    )


def _anywhere(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    position = dice.randrange(len(base.data))
    return Edit(position, position + 1, bytes([dice.randrange(256)]))


def _swap_opcode(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    token = base.token(dice)
    return Edit(token.start, token.start + 1, bytes([dice.choice(OPCODES)]))


def _number(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    token = base.of_kind(NUMBERS, dice)
    width = NUMBER_WIDTHS.get(token.opcode, 1)
    old = int.from_bytes(base.data[token.start + 1 : token.start + 1 + width], "little")
    top = 256**width
    new = dice.choice(
        (0, 1, old + 1, old - 1, 2 * old, top // 2 - 1, top // 2, top - 1, dice.randrange(top))
    )
    return Edit(token.start + 1, token.start + 1 + width, (new % top).to_bytes(width, "little"))


def _other_value(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    token = base.of_kind(VALUES, dice)
    return Edit(token.start, token.stop, encode(dice.choice(OTHER_VALUES)))


def _other_object(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    """A reference into the memo that fetches another object: a wrong kind in a right place."""
    token, other = base.of_kind(GETS, dice), base.of_kind(GETS, dice)
    if dice.random() < 0.7:
        return Edit(token.start, token.stop, base.data[other.start : other.stop])
    return Edit(token.start, token.stop, b"j" + struct.pack("<I", dice.randrange(5000)))


def _other_text(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    token, other = base.of_kind(TEXTS, dice), base.of_kind(TEXTS, dice)
    return Edit(token.start, token.stop, base.data[other.start : other.stop])


def _delete(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    return Edit(*_run(base, dice), b"")


def _duplicate(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    start, stop = _run(base, dice)
    return Edit(stop, stop, base.data[start:stop] * dice.choice((1, 1, 1, 2, 8, 64)))


def _splice(base: Base, dice: random.Random, bases: Sequence[Base]) -> Edit:
    giver = dice.choice(bases)
    start, stop = _run(giver, dice)
    at, end = _run(base, dice)
    return Edit(at, end if dice.random() < 0.5 else at, giver.data[start:stop])


def _exchange(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    """Two neighbours in the other order."""
    number = dice.randrange(len(base.tokens) - 1)
    a, b = base.tokens[number : number + 2]
    if a.stop != b.start:  # the last of the outer stream and the first inside a storage
        return Edit(a.start, a.stop, b"")
    return Edit(a.start, b.stop, base.data[b.start : b.stop] + base.data[a.start : a.stop])


def _snippet(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    token = base.token(dice)
    stop = token.stop if dice.random() < 0.3 else token.start
    return Edit(token.start, stop, dice.choice(SNIPPETS))


def _truncate(base: Base, dice: random.Random, _: Sequence[Base]) -> Edit:
    start = (
        dice.choice(base.tokens).start if dice.random() < 0.5 else dice.randrange(len(base.data))
    )
    return Edit(start, len(base.data), dice.choice((b"", b".", b"\x00")))


def _append(base: Base, dice: random.Random, bases: Sequence[Base]) -> Edit:
    giver = dice.choice(bases)
    start, stop = _run(giver, dice)
    return Edit(len(base.data), len(base.data), giver.data[start:stop])


def _run(base: Base, dice: random.Random) -> tuple[int, int]:
    """Some opcodes in a row, few more often than many; bytes [start, stop)."""
    number = dice.randrange(len(base.tokens))
    first = base.tokens[number]
    last = base.tokens[min(number + dice.choice((0, 0, 0, 1, 2, 5, 20)), len(base.tokens) - 1)]
    return first.start, last.stop if last.inside == first.inside else first.stop


_WEIGHTS: Mapping[Kind, int] = {
    _flip_bit: 10, _set_byte: 10, _anywhere: 1, _swap_opcode: 10, _number: 12, _other_value: 12,
    _other_object: 12, _other_text: 10, _delete: 6, _duplicate: 6, _splice: 8, _exchange: 5,
    _snippet: 8, _truncate: 2, _append: 1,
}  # fmt: skip
_KINDS, _ODDS = list(_WEIGHTS), list(_WEIGHTS.values())
