"""The inputs that the fuzz begins with, and where in them the opcodes are."""

from __future__ import annotations

import bisect
import functools
import io
import pickletools
import random
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from tests.slim_pickle import slim

TORCH_FILES = ("g_torch.pkl", "g_torch_cond.pkl", "g_torch_fp16.pkl")
TENSORFLOW_FILE = "g_tf.pkl"
SLIM_WEIGHT, TENSORFLOW_WEIGHT, WHOLE_WEIGHT = 24, 18, 3  # odds of each base
LONG_BYTES = 64  # what an opcode carries beyond this is tensors or program text
LAST_TOKENS = 55


@dataclass(frozen=True)
class Token:
    """One opcode with its argument, bytes [start, stop) of the base."""

    start: int
    stop: int
    opcode: int
    inside: int | None  # the token whose bytes hold it, as the number of that token


@dataclass(frozen=True)
class Base:
    """An input to mutate, and where its opcodes and its short bytes are."""

    name: str
    weight: int
    data: bytes
    tokens: tuple[Token, ...]
    kinds: tuple[tuple[Token, ...], ...]  # the same by opcode and argument
    last: tuple[Token, ...]  # in a slim snapshot these hold the arguments of its network
    storages: tuple[Token, ...]  # those of the tokens that hold others
    short_ranges: tuple[tuple[int, int], ...]  # all bytes but those of tensors and long texts
    short_ends: tuple[int, ...]  # running sum of their lengths

    def token(self, dice: random.Random) -> Token:
        """Any token; half of the time a rare one, as names and arguments of networks are."""
        chance = dice.random()
        if chance < 0.5:
            return dice.choice(self.tokens)
        return dice.choice(dice.choice(self.kinds) if chance < 0.85 else self.last)

    def of_kind(self, opcodes: bytes, dice: random.Random) -> Token:
        """A token with one of the opcodes, or any if a few tries find none."""
        for _ in range(50):
            token = self.token(dice)
            if token.opcode in opcodes:
                break
        return token

    def short_position(self, dice: random.Random) -> int:
        number = dice.randrange(self.short_ends[-1])
        which = bisect.bisect_right(self.short_ends, number)
        return self.short_ranges[which][1] - (self.short_ends[which] - number)


def base_of(name: str, weight: int, data: bytes) -> Base:
    tokens = _tokens(data, 0, len(data))
    outer = len(tokens)
    for number in range(outer):
        token = tokens[number]
        head = token.start + (2 if token.opcode == ord("C") else 5)
        if token.opcode in b"CB" and data[head : head + 2] == b"\x80\x02":  # a torch storage
            tokens += _tokens(data, head, token.stop, pickles=5, inside=number)
    ranges = [(t.start, min(t.stop, t.start + LONG_BYTES)) for t in tokens]
    ends = tuple(accumulate(stop - start for start, stop in ranges))
    holders = {token.inside for token in tokens}
    storages = tuple(tokens[k] for k in range(outer) if k in holders)
    kinds: dict[bytes, list[Token]] = {}
    for token in tokens:
        kinds.setdefault(data[token.start : min(token.stop, token.start + 40)], []).append(token)
    by_kind = tuple(map(tuple, kinds.values()))
    last = tuple(tokens[max(0, outer - LAST_TOKENS) : outer])
    return Base(name, weight, data, tuple(tokens), by_kind, last, storages, tuple(ranges), ends)


@functools.cache
def golden_bases(folder: Path) -> tuple[Base, ...]:
    """The four golden pickles, and the slim copies of three of them."""
    whole = {name: (folder / name).read_bytes() for name in (*TORCH_FILES, TENSORFLOW_FILE)}
    return (
        *(base_of(f"slim {name}", SLIM_WEIGHT, slim(whole[name])) for name in TORCH_FILES),
        base_of(TENSORFLOW_FILE, TENSORFLOW_WEIGHT, whole[TENSORFLOW_FILE]),
        *(base_of(name, WHOLE_WEIGHT, whole[name]) for name in TORCH_FILES),
    )


def _tokens(
    data: bytes, start: int, stop: int, *, pickles: int = 1, inside: int | None = None
) -> list[Token]:
    stream = io.BytesIO(data[start:stop])
    starts: list[int] = []
    for _ in range(pickles):
        starts += [start + (position or 0) for _, _, position in pickletools.genops(stream)]
    ends = [*starts[1:], start + stream.tell()]
    return [Token(a, b, data[a], inside) for a, b in zip(starts, ends, strict=True)]
