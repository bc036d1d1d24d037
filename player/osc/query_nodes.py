"""The table of addresses as OSCQuery tells it: a tree of nodes and their attributes. Pure.

Source of the rules: the OSCQuery proposal (Vidvox, "OSCQuery Proposal"), its core functionality,
optional attributes and return codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from player.osc.rows import OSC_TYPES, Access, Argument, Row, Value
from player.osc.table import ROWS

Values = Mapping[str, tuple[Value, ...]]
"""What is known of the player, by full path."""

EXTENSIONS = ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "OVERLOADS", "LISTEN")
UNUSED = ("TAGS", "EXTENDED_TYPE", "UNIT", "CRITICAL", "CLIPMODE", "HTML")
UNUSED_EVENTS = ("PATH_CHANGED", "PATH_ADDED", "PATH_REMOVED", "PATH_RENAMED")
ATTRIBUTES = ("FULL_PATH", "CONTENTS", "TYPE", *EXTENSIONS[:-1], *UNUSED)
_ACCESS: Mapping[Access, int] = {"read": 1, "write": 2, "trigger": 2, "read and write": 3}
_TEXT = Argument("words", "text")


@dataclass(frozen=True)
class Show:
    """What the addresses stand for. ballads: their ids. screens: their names, from the left."""

    title: str
    ballads: tuple[str, ...]
    screens: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass
class Node:
    """A container, a method, or both (`/ballad` takes a value and has `/ballad/next` below it)."""

    path: str
    description: str
    row: Row | None = None
    contents: dict[str, Node] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Those that TYPE tells: the ones that must be given, or all if none must."""
        if self.row is None:
            return ()
        if self.row.make is None:
            return self.row.arguments or (_TEXT,)
        needed = tuple(one for one in self.row.arguments if one.default is None)
        return needed or self.row.arguments

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for node in self.contents.values():
            yield from node.walk()

    def find(self, path: str) -> Node | None:
        """The node at a full path; None: there is none. A slash at the end changes nothing."""
        node: Node | None = self
        for part in path.strip("/").split("/") if path.strip("/") else ():
            node = node.contents.get(part) if node is not None else None
        return node


def namespace(show: Show) -> Node:
    """The whole tree: every row, once for every screen or group where its path names one."""
    root = Node("/", f"{show.title}: everything that the player obeys and tells")
    for row in ROWS:
        for path in _paths(row.path, show):
            _grow(root, path, row, show)
    return root


def attribute(node: Node, name: str, values: Values, ballads: Sequence[str]) -> Any:
    """The value of one attribute, as JSON has it; None: the node does not use it."""
    match name:
        case "FULL_PATH":
            return node.path
        case "DESCRIPTION":
            return node.description
        case "ACCESS":
            return _ACCESS[node.row.access] if node.row is not None else 0
        case "TYPE":
            return _type(node)
        case "RANGE":
            return _ranges(node.arguments, ballads)
        case "OVERLOADS":
            return _overloads(node, ballads)
        case "VALUE":
            return value_of(node, values)
        case "CONTENTS":
            return {
                key: described(child, values, ballads) for key, child in node.contents.items()
            } or None
    return None


def described(node: Node, values: Values, ballads: Sequence[str]) -> dict[str, Any]:
    """All attributes of a node and of all below it."""
    told = {name: attribute(node, name, values, ballads) for name in ATTRIBUTES}
    return {name: value for name, value in told.items() if value is not None}


def value_of(node: Node, values: Values) -> list[Value] | None:
    """One value for every letter of TYPE; None: nothing can be read, or nothing is known yet."""
    known = values.get(node.path)
    if known is None or len(known) != len(node.arguments):
        return None
    pairs = zip(node.arguments, known, strict=True)
    return [bool(value) if argument.kind == "switch" else value for argument, value in pairs]


def _paths(path: str, show: Show) -> Iterator[str]:
    if "{screen}" in path:
        yield from (path.replace("{screen}", str(n + 1)) for n in range(len(show.screens)))
    elif "{group}" in path:
        yield from (path.replace("{group}", group) for group in show.groups)
    else:
        yield path


def _grow(root: Node, path: str, row: Row, show: Show) -> None:
    node, so_far = root, ""
    for part in path.strip("/").split("/"):
        so_far += f"/{part}"
        if part not in node.contents:
            node.contents[part] = Node(so_far, _container(so_far, show))
        node = node.contents[part]
    node.description, node.row = row.says, row


def _container(path: str, show: Show) -> str:
    parts = path.strip("/").split("/")
    if parts[0] == "screen" and len(parts) == 2:
        return f"screen {parts[1]}, {show.screens[int(parts[1]) - 1]}"
    return f"what begins with {path}/"


def _type(node: Node) -> str | None:
    if node.row is None:
        return None
    return "".join(OSC_TYPES[one.kind] for one in node.arguments) or "N"


def _ranges(arguments: Sequence[Argument], ballads: Sequence[str]) -> list[dict[str, Any]] | None:
    ranges = [_range(one, ballads) for one in arguments]
    return ranges if any(ranges) else None


def _range(argument: Argument, ballads: Sequence[str]) -> dict[str, Any]:
    if argument.kind == "ballad":
        return {"VALS": list(ballads)}
    if argument.words:
        return {"VALS": list(argument.words)}
    ends = {"MIN": argument.low, "MAX": argument.high}
    return {name: value for name, value in ends.items() if value is not None}


def _overloads(node: Node, ballads: Sequence[str]) -> list[dict[str, Any]] | None:
    """The same address with the arguments that may be left out."""
    if node.row is None or node.row.make is None or node.row.arguments == node.arguments:
        return None
    told: dict[str, Any] = {"TYPE": "".join(OSC_TYPES[one.kind] for one in node.row.arguments)}
    return [told | {"RANGE": _ranges(node.row.arguments, ballads)}]
