"""A published snapshot with few layers, written in the opcodes of the whole one.

The fuzz mutates inputs by the million, and nine tenths of a snapshot repeat the same few shapes of
opcodes for every layer. `slim` takes a snapshot apart into the pieces of its stream, leaves out
the networks G and D and the layers above 8 pixels, changes the arguments to match, and puts the
same opcodes together again; what comes out is a small generator that loads.

Known here are the opcodes that Python's pickler of protocol 4 writes for such a snapshot.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass, field

KEPT_BLOCKS = ("b4", "b8")
KEPT_RESOLUTION = 8


@dataclass
class Piece:
    """One object of the stream: the opcodes that make it, between them the objects it is made of.

    Compared by identity: an object that is referred to twice is one piece.
    """

    parts: list[bytes | Piece | Memo | Batch] = field(default_factory=list)
    text: str | None = None

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass(frozen=True)
class Memo:
    """Here the stream remembers the object made so far."""


@dataclass
class Batch:
    """What one opcode puts into a dict (keys and values) or a list."""

    opcode: bytes
    items: list[Piece]
    marked: bool

    def pairs(self) -> list[tuple[Piece, Piece]]:
        return list(zip(self.items[::2], self.items[1::2], strict=True))


def slim(data: bytes) -> bytes:
    """The generator G_ema of a PyTorch snapshot, cut to 8 pixels and one mapping layer."""
    root = take_apart(data)
    drop_entries(root, {"G", "D", "augment_pipe"})
    state = attributes_of(entry(root, "G_ema"))
    modules = entry(state, "_modules")
    mapping = attributes_of(entry(modules, "mapping"))
    synthesis = attributes_of(entry(modules, "synthesis"))
    drop_entries(entry(mapping, "_modules"), {f"fc{k}" for k in range(1, 64)})
    blocks = entry(synthesis, "_modules")
    drop_entries(blocks, set(keys(blocks)) - set(KEPT_BLOCKS))
    arguments = entry(state, "_init_kwargs")
    change_number(arguments, "img_resolution", KEPT_RESOLUTION)
    change_number(entry(arguments, "mapping_kwargs"), "num_layers", 1)
    return put_together(root)


def take_apart(data: bytes) -> Piece:
    """The pieces of one pickle. Raises ValueError for an opcode that is not known here."""
    stack: list[Piece | None] = []  # None is a mark
    memo: list[Piece] = []
    for (opcode, argument, start), (_, _, stop) in _steps(data):
        raw = data[start:stop]
        name = opcode.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            break
        if name == "MARK":
            stack.append(None)
        elif name == "MEMOIZE":
            piece = _top(stack)
            piece.parts.append(Memo())
            memo.append(piece)
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[int(argument)])
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3", "REDUCE", "NEWOBJ", "STACK_GLOBAL"):
            count = 1 if name == "TUPLE1" else 3 if name == "TUPLE3" else 2
            made = Piece([*map(_piece, stack[-count:]), raw])
            del stack[-count:]
            stack.append(made)
        elif name == "TUPLE":
            items = _to_mark(stack)
            stack.append(Piece([b"(", *items, raw]))
        elif name in ("SETITEMS", "APPENDS", "ADDITEMS"):
            items = _to_mark(stack)
            _top(stack).parts.append(Batch(raw, items, marked=True))
        elif name in ("SETITEM", "APPEND"):
            count = 2 if name == "SETITEM" else 1
            items = [_piece(item) for item in stack[-count:]]
            del stack[-count:]
            _top(stack).parts.append(Batch(raw, items, marked=False))
        elif name == "BUILD":
            state = _piece(stack.pop())
            _top(stack).parts.extend([state, raw])
        elif opcode.stack_before or len(opcode.stack_after) != 1:
            raise ValueError(f"the opcode {name} is not known here")
        else:
            stack.append(Piece([raw], argument if isinstance(argument, str) else None))
    return _top(stack)


def put_together(root: Piece) -> bytes:
    out: list[bytes] = [b"\x80\x04"]
    memo: dict[int, int] = {}

    def write(piece: Piece) -> None:
        index = memo.get(id(piece))
        if index is not None:
            short = index < 256
            out.append((b"h" if short else b"j") + index.to_bytes(1 if short else 4, "little"))
            return
        for part in piece.parts:
            match part:
                case bytes():
                    out.append(part)
                case Piece():
                    write(part)
                case Memo():
                    memo[id(piece)] = len(memo)
                    out.append(b"\x94")
                case Batch(items=[]):
                    pass
                case Batch():
                    if part.marked:
                        out.append(b"(")
                    for item in part.items:
                        write(item)
                    out.append(part.opcode)

    write(root)
    return b"".join(out) + b"."


# Finding and changing entries.


def _pairs(piece: Piece) -> list[tuple[Piece, Piece]]:
    return [pair for part in piece.parts if isinstance(part, Batch) for pair in part.pairs()]


def keys(piece: Piece) -> list[str]:
    return [key.text for key, _ in _pairs(piece) if key.text is not None]


def entry(piece: Piece, key: str) -> Piece:
    """The value of a dict under a text. Raises KeyError."""
    for name, value in _pairs(piece):
        if name.text == key:
            return value
    raise KeyError(key)


def attributes_of(stored: Piece) -> Piece:
    """The state of a stored network: `function (record,) REDUCE`, and in the record `state`."""
    arguments = next(p for p in stored.parts[1:] if isinstance(p, Piece))
    record = next(p for p in arguments.parts if isinstance(p, Piece))
    return entry(record, "state")


def drop_entries(piece: Piece, dropped: set[str]) -> None:
    for part in piece.parts:
        if isinstance(part, Batch):
            kept = [pair for pair in part.pairs() if pair[0].text not in dropped]
            part.items = [item for pair in kept for item in pair]


def change_number(piece: Piece, key: str, number: int) -> None:
    entry(piece, key).parts = [b"K" + bytes([number])]


def _steps(data: bytes) -> list[tuple[tuple, tuple]]:  # type: ignore[type-arg]
    steps = [(op, argument, start or 0) for op, argument, start in pickletools.genops(data)]
    return list(zip(steps, [*steps[1:], (None, None, len(data))], strict=True))


def _top(stack: list[Piece | None]) -> Piece:
    return _piece(stack[-1])


def _piece(item: Piece | None) -> Piece:
    if item is None:
        raise ValueError("a mark stands where an object should be")
    return item


def _to_mark(stack: list[Piece | None]) -> list[Piece]:
    mark = len(stack) - 1 - stack[::-1].index(None)
    items = [_piece(item) for item in stack[mark + 1 :]]
    del stack[mark:]
    return items
