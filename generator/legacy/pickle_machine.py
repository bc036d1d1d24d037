"""A pickle interpreter for data only: it imports, looks up and calls nothing by name.

A global in the stream becomes an inert `Symbol`. Applying a symbol goes through the caller's
`Vocabulary`, a fixed table of our own functions; anything outside that table is refused.
Rejected: `pickle.Unpickler` with `find_class` overridden. It still calls whatever lies on its
stack, lets BUILD set attributes of our own classes and functions, and allocates as much memo as
a ten-byte file asks for.

The opcodes are those of protocols 2 to 5 that a saved network needs (reference: CPython,
Lib/pickletools.py). Bytes objects come out as memoryviews of the input.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_OPCODES = 250_000  # a snapshot of 64 pixels has 20 000, one of 1024 about twice as many
MAX_TEXT_BYTES = 32 * 2**20  # of all texts together: names, and some 50 kB of program text
MAX_KEY_INT = 2**31  # larger ones could be chosen to collide in a dict


class PickleDataError(Exception):
    """The stream is broken, or asks for more than data needs. The text is a clause."""


@dataclass(frozen=True)
class Symbol:
    """A global named by the stream: only its name, never the thing."""

    module: str
    name: str

    def __str__(self) -> str:
        return printable(f"{self.module}.{self.name}")


def printable(text: str) -> str:
    """Text of a file as it may stand in an error: short, without control characters."""
    return ascii(text[:100])[1:-1]


Call = Callable[[tuple[object, ...]], object]


def refuse_symbol(symbol: Symbol) -> str:
    return f"it names {symbol}, which such a file has no need of"


def refuse_build(target: object, state: object) -> None:
    raise PickleDataError("it sets the state of an object that has none")


def refuse_persistent(identity: object) -> object:
    raise PickleDataError("it refers to an object outside the file")


@dataclass(frozen=True)
class Vocabulary:
    """All that a stream can ask for. `inert` symbols may be mentioned but not applied."""

    calls: Mapping[Symbol, Call] = field(default_factory=dict)
    inert: frozenset[Symbol] = frozenset()
    build: Callable[[object, object], None] = refuse_build
    persistent: Callable[[object], object] = refuse_persistent
    refusal: Callable[[Symbol], str] = refuse_symbol


def run_pickle(
    data: memoryview,
    vocabulary: Vocabulary,
    *,
    start_byte: int = 0,
    max_opcodes: int = MAX_OPCODES,
) -> tuple[object, int]:
    """Interpret one pickle of `data`; returns its object and the index of the byte after it.

    Work and memory are bounded by the length of the data, max_opcodes and MAX_TEXT_BYTES.
    Raises PickleDataError for everything that is not an allowed, complete stream.
    """
    machine = _Machine(data, vocabulary, start_byte)
    return machine.run(max_opcodes), machine.position_byte


class _Machine:
    __slots__ = (
        "data",
        "memo",
        "outer_stacks",
        "position_byte",
        "stack",
        "text_left_bytes",
        "vocabulary",
    )

    def __init__(self, data: memoryview, vocabulary: Vocabulary, start_byte: int) -> None:
        self.data = data
        self.vocabulary = vocabulary
        self.position_byte = start_byte
        self.text_left_bytes = MAX_TEXT_BYTES
        self.stack: list[object] = []
        self.outer_stacks: list[list[object]] = []
        self.memo: dict[int, object] = {}

    def run(self, max_opcodes: int) -> object:
        data, steps, end = self.data, _STEPS, len(self.data)
        for _ in range(max_opcodes):
            position = self.position_byte
            if position >= end:
                raise PickleDataError("it ends too early (truncated?)")
            self.position_byte = position + 1
            opcode = data[position]
            step = steps[opcode]
            if step is not None:
                step(self)
            elif opcode == _STOP:
                if self.outer_stacks or len(self.stack) != 1:
                    raise PickleDataError("its stack is not in order at its end")
                return self.stack[0]
            else:
                raise PickleDataError(
                    f"it holds the pickle opcode 0x{opcode:02x}, which is not supported"
                )
        raise PickleDataError(f"it has more than {max_opcodes} pickle opcodes")

    # Reading.

    def take(self, count: int) -> memoryview:
        start = self.position_byte
        end = start + count
        if end > len(self.data):
            raise PickleDataError("it ends too early (truncated?)")
        self.position_byte = end
        return self.data[start:end]

    def byte(self) -> int:
        position = self.position_byte
        if position >= len(self.data):
            raise PickleDataError("it ends too early (truncated?)")
        self.position_byte = position + 1
        return self.data[position]

    def number(self, layout: struct.Struct) -> Any:
        position = self.position_byte
        self.position_byte = position + layout.size
        try:
            return layout.unpack_from(self.data, position)[0]
        except struct.error as error:
            raise PickleDataError("it ends too early (truncated?)") from error

    def text(self, count: int) -> str:
        self.text_left_bytes -= count
        if self.text_left_bytes < 0:
            raise PickleDataError(
                f"it has more than {MAX_TEXT_BYTES} bytes of text, as arrays in pickle protocol 2 "
                "are; write it in protocol 4"
            )
        try:
            return str(self.take(count), "utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise PickleDataError("it holds a text that is not UTF-8") from error

    def line(self) -> str:
        window = bytes(self.data[self.position_byte : self.position_byte + 256])
        length = window.find(b"\n")
        if length < 0:
            raise PickleDataError("it names a global without an end of line")
        text = self.text(length)
        self.position_byte += 1
        return text

    # The stack.

    def pop(self) -> object:
        if not self.stack:
            raise PickleDataError("it takes more from its stack than is there")
        return self.stack.pop()

    def top(self) -> object:
        if not self.stack:
            raise PickleDataError("it takes more from its stack than is there")
        return self.stack[-1]

    def pop_to_mark(self) -> list[object]:
        if not self.outer_stacks:
            raise PickleDataError("it lacks a mark on its stack")
        items = self.stack
        self.stack = self.outer_stacks.pop()
        return items

    def push_mark(self) -> None:
        self.outer_stacks.append(self.stack)
        self.stack = []

    def push_tuple(self, count: int) -> None:
        if len(self.stack) < count:
            raise PickleDataError("it takes more from its stack than is there")
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.stack.append(items)

    # Containers: exact types only, so that no stand-in can pass for one.

    def set_items(self, pairs: list[object]) -> None:
        target = self.top()
        if type(target) is not dict or len(pairs) % 2:
            raise PickleDataError("it sets items of something that is no dict")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[_checked_key(key)] = value

    def append_items(self, items: list[object]) -> None:
        target = self.top()
        if type(target) is not list:
            raise PickleDataError("it appends to something that is no list")
        target.extend(items)

    def add_items(self, items: list[object]) -> None:
        target = self.top()
        if type(target) is not set:
            raise PickleDataError("it adds to something that is no set")
        target.update(_checked_key(item) for item in items)

    # Symbols.

    def push_symbol(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleDataError("it names a global by something that is no text")
        symbol = Symbol(module, name)
        if symbol not in self.vocabulary.calls and symbol not in self.vocabulary.inert:
            raise PickleDataError(self.vocabulary.refusal(symbol))
        self.stack.append(symbol)

    def apply(self) -> None:
        arguments, symbol = self.pop(), self.pop()
        call = self.vocabulary.calls.get(symbol) if isinstance(symbol, Symbol) else None
        if call is None:
            raise PickleDataError("it calls something that cannot be called")
        if not isinstance(arguments, tuple):
            raise PickleDataError(f"it calls {symbol} with something that is no tuple")
        self.stack.append(call(arguments))

    def build(self) -> None:
        state = self.pop()
        self.vocabulary.build(self.top(), state)

    def refer(self) -> None:
        self.stack.append(self.vocabulary.persistent(self.pop()))

    # The memo: a dict, since an index says nothing about how many entries there are.

    def recall(self, index: int) -> None:
        try:
            self.stack.append(self.memo[index])
        except KeyError as error:
            raise PickleDataError("it refers to an object that it has not yet made") from error

    def recall_near(self) -> None:  # the commonest opcode by far
        position = self.position_byte
        self.position_byte = position + 1
        try:
            self.stack.append(self.memo[self.data[position]])
        except IndexError as error:
            raise PickleDataError("it ends too early (truncated?)") from error
        except KeyError as error:
            raise PickleDataError("it refers to an object that it has not yet made") from error

    def remember(self, index: int) -> None:
        self.memo[index] = self.top()

    def remember_next(self) -> None:
        if not self.stack:
            raise PickleDataError("it takes more from its stack than is there")
        self.memo[len(self.memo)] = self.stack[-1]

    def check_protocol(self) -> None:
        protocol = self.byte()
        if not 2 <= protocol <= 5:
            raise PickleDataError(f"it is written in pickle protocol {protocol}; 2 to 5 are known")

    def push_symbol_of_stack(self) -> None:
        name, module = self.pop(), self.pop()
        self.push_symbol(module, name)

    def set_one_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])


def _checked_key(key: object) -> object:
    # Only what hashes at once: a tuple of tuples can take for ever.
    if key is None or isinstance(key, str) or (isinstance(key, int) and abs(key) < MAX_KEY_INT):
        return key
    raise PickleDataError("it uses something as a key that is neither a text nor a number")


_U16, _U32, _I32, _U64, _F64 = map(struct.Struct, ("<H", "<I", "<i", "<Q", ">d"))
_STOP = ord(".")
_STEP_OF: Mapping[int, Callable[[_Machine], None]] = {
    0x80: _Machine.check_protocol,  # PROTO
    0x95: lambda m: (m.number(_U64), None)[1],  # FRAME: only a hint for buffering
    ord("("): _Machine.push_mark,
    # Atoms.
    ord("N"): lambda m: m.stack.append(None),
    0x88: lambda m: m.stack.append(True),
    0x89: lambda m: m.stack.append(False),
    ord("J"): lambda m: m.stack.append(m.number(_I32)),
    ord("K"): lambda m: m.stack.append(m.byte()),
    ord("M"): lambda m: m.stack.append(m.number(_U16)),
    0x8A: lambda m: m.stack.append(int.from_bytes(m.take(m.byte()), "little", signed=True)),
    ord("G"): lambda m: m.stack.append(m.number(_F64)),
    ord("X"): lambda m: m.stack.append(m.text(m.number(_U32))),
    0x8C: lambda m: m.stack.append(m.text(m.byte())),
    0x8D: lambda m: m.stack.append(m.text(m.number(_U64))),
    ord("B"): lambda m: m.stack.append(m.take(m.number(_U32))),
    ord("C"): lambda m: m.stack.append(m.take(m.byte())),
    0x8E: lambda m: m.stack.append(m.take(m.number(_U64))),
    0x96: lambda m: m.stack.append(m.take(m.number(_U64))),  # BYTEARRAY8
    # Strings of Python 2, where names and bytes are one: short ones may be names.
    ord("U"): lambda m: m.stack.append(str(m.take(m.byte()), "latin-1")),
    ord("T"): lambda m: m.stack.append(m.take(m.number(_U32))),
    # Containers.
    ord(")"): lambda m: m.stack.append(()),
    ord("]"): lambda m: m.stack.append([]),
    ord("}"): lambda m: m.stack.append({}),
    0x8F: lambda m: m.stack.append(set()),
    ord("t"): lambda m: (lambda items: m.stack.append(tuple(items)))(m.pop_to_mark()),
    0x85: lambda m: m.push_tuple(1),
    0x86: lambda m: m.push_tuple(2),
    0x87: lambda m: m.push_tuple(3),
    ord("a"): lambda m: m.append_items([m.pop()]),
    ord("e"): lambda m: m.append_items(m.pop_to_mark()),
    ord("s"): _Machine.set_one_item,
    ord("u"): lambda m: m.set_items(m.pop_to_mark()),
    0x90: lambda m: m.add_items(m.pop_to_mark()),
    # Memo.
    ord("q"): lambda m: m.remember(m.byte()),
    ord("r"): lambda m: m.remember(m.number(_U32)),
    0x94: _Machine.remember_next,
    ord("h"): _Machine.recall_near,
    ord("j"): lambda m: m.recall(m.number(_U32)),
    # Symbols and their application.
    ord("c"): lambda m: m.push_symbol(m.line(), m.line()),
    0x93: _Machine.push_symbol_of_stack,
    ord("R"): _Machine.apply,  # REDUCE
    0x81: _Machine.apply,  # NEWOBJ: the same to us, since no symbol is a class
    ord("b"): _Machine.build,
    ord("Q"): _Machine.refer,
}
# A list, since the next step is looked up by its byte for every opcode.
_STEPS = [_STEP_OF.get(opcode) for opcode in range(256)]
