"""One YAML file of a show, read with care: it may come from anywhere.

Refused are: files over 1 MB, anchors and aliases (a few lines of them can stand for gigabytes),
tags, keys written twice (YAML would silently take the last), and nesting deeper than 32.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from shows.plain_file import open_plain
from shows.schema import ShowError

MAX_YAML_BYTES = 1_000_000
MAX_DEPTH = 32
# libyaml where there is one: a show of seven ballads is read in 25 ms of Python and not in 80,
# which a player that reads it anew takes from its frames.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml_mapping(path: Path, source: str) -> dict[str, Any]:
    """The file's top-level mapping. source: its name in the faults. Raises ShowError."""
    try:
        with open_plain(path) as file:
            raw = file.read(MAX_YAML_BYTES + 1)
    except OSError as error:
        raise ShowError(f"{source} cannot be read: {error.strerror} ({path}).") from error
    if len(raw) > MAX_YAML_BYTES:
        raise ShowError(f"{source} is larger than 1 MB, which no show needs ({path}).")
    return parse_yaml_mapping(raw, source)


def parse_yaml_mapping(raw: bytes, source: str) -> dict[str, Any]:
    """The top-level mapping of YAML text in UTF-8. Raises ShowError."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ShowError(
            f"{source} is not UTF-8 text from byte {error.start} on; save it as UTF-8."
        ) from error
    try:
        for fault in _faults_of_form(text):
            raise ShowError(f"{source}: {fault}.")
        data = _loaded(text)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ShowError(f"{source}: {line}{error.problem or 'is not YAML'}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ShowError(f"{source} is not YAML: {str(error)[:200]}.") from error
    if not isinstance(data, dict):
        raise ShowError(f"{source} must hold names and values, as in `title: My show`.")
    for key in data:
        if not isinstance(key, str):
            raise ShowError(f"{source}: {key!r:.80} is not a name; put it in quotes.")
    return data


def _loaded(text: str) -> Any:
    """As `yaml.safe_load`."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _faults_of_form(text: str) -> Iterator[str]:
    # One entry per open collection: the keys so far and whether a key comes next, or None (list).
    open_keys: list[set[str] | None] = []
    key_next: list[bool] = []
    for event in yaml.parse(text, Loader=_Loader):
        line = f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            yield f"{line}: anchors (&) and aliases (*) are not read; write the value out"
        if getattr(event, "tag", None) is not None:
            yield f"{line}: tags (!) are not read; write the value alone"
        if isinstance(event, yaml.NodeEvent):
            is_key = bool(key_next) and open_keys[-1] is not None and key_next[-1]
            if key_next:
                key_next[-1] = not key_next[-1]
            if isinstance(event, yaml.ScalarEvent):
                if any("\ud800" <= character <= "\udfff" for character in event.value):
                    yield f"{line}: holds half a character (a lone surrogate)"
                keys = open_keys[-1] if open_keys else None
                if is_key and keys is not None:
                    if event.value in keys:
                        yield f"{line}: {event.value[:80]!r} is written twice"
                    keys.add(event.value)
            else:
                if is_key:
                    yield f"{line}: a name must be plain text"
                if len(open_keys) == MAX_DEPTH:
                    yield f"{line}: is nested deeper than {MAX_DEPTH} levels"
                open_keys.append(set() if isinstance(event, yaml.MappingStartEvent) else None)
                key_next.append(True)
        elif isinstance(event, yaml.CollectionEndEvent):
            open_keys.pop()
            key_next.pop()
