"""A painting's `loop_strength` and `loop_seed` in ballad.yaml, changed where they stand.

Everything else of the file, comments too, stays byte for byte what a person wrote.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from shows.atomic_file import write_atomically
from shows.schema import Ballad, Painting, ShowError, parse_ballad
from shows.show_file import load_ballad
from shows.yaml_file import parse_yaml_mapping
from training.errors import TrainingError
from training.light_table.events import Loop


def read_loop(painting: Painting) -> Loop:
    """That of a painting as it was read."""
    return Loop(strength=painting.loop_strength, seed=painting.loop_seed)


def write_loop(folder: Path, ballad_id: str, painting_id: str, loop: Loop) -> Ballad:
    """Change the file of a show's ballad; returns the ballad as it is now. Raises TrainingError."""
    source = f"ballads/{ballad_id}/ballad.yaml"
    path = folder / source
    try:
        before = load_ballad(folder, ballad_id)
        index = before.painting_ids.index(painting_id)
        wanted = _with_loop(before, index, loop)
        if wanted == before:
            return before
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
        was = read_loop(before.paintings[index])
        if loop.seed != was.seed:
            text = with_value(text, index, "loop_seed", loop.seed or None)
        if loop.strength != was.strength:
            text = with_value(text, index, "loop_strength", loop.strength)
        if parse_ballad(ballad_id, parse_yaml_mapping(text.encode(), source), source) != wanted:
            raise ShowError("the change would have changed more than the loop")
        write_atomically(path, text.encode())
    except (OSError, ValueError, ShowError, yaml.YAMLError) as fault:
        raise TrainingError(
            f"{source}: the loop of {painting_id} cannot be changed by the "
            f"light table ({str(fault)[:200]}); write loop_strength and loop_seed by hand."
        ) from fault
    return wanted


def with_value(text: str, index: int, name: str, value: float | int | None) -> str:
    """YAML text with one word of a painting (0-based) set, or taken out where value is None."""
    painting = _painting_node(text, index)
    for key, node in painting.value:
        if key.value == name:
            if value is not None:
                return text[: node.start_mark.index] + repr(value) + text[node.end_mark.index :]
            return _without(text, painting, key, node)
    if value is None:
        return text
    key, node = next(pair for pair in painting.value if pair[0].value == "id")
    end = node.end_mark.index
    if painting.flow_style:
        return f"{text[:end]}, {name}: {value!r}{text[end:]}"
    line_end = text.find("\n", end)
    rest = text[end:] if line_end < 0 else text[end:line_end]
    newline = "\r\n" if rest.endswith("\r") else "\n"
    at = end + len(rest.rstrip("\r"))
    return f"{text[:at]}{newline}{' ' * key.start_mark.column}{name}: {value!r}{text[at:]}"


def _without(
    text: str, painting: yaml.MappingNode, key: yaml.ScalarNode, node: yaml.ScalarNode
) -> str:
    start, end = key.start_mark.index, node.end_mark.index
    if painting.flow_style:
        before = text.rfind(",", painting.start_mark.index, start)
        if before >= 0:
            return text[:before] + text[end:]
        return text[:start] + text[end:].lstrip().removeprefix(",").lstrip()
    line = text.rfind("\n", 0, start) + 1
    if text[line:start].strip():  # "- loop_seed: 3": the dash belongs to what follows
        following = end + len(text[end:]) - len(text[end:].lstrip())
        return text[:start] + text[following:]
    line_end = text.find("\n", end)
    return text[:line] + ("" if line_end < 0 else text[line_end + 1 :])


def _painting_node(text: str, index: int) -> yaml.MappingNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(root, yaml.MappingNode):
        for key, node in root.value:
            if key.value == "paintings" and isinstance(node, yaml.SequenceNode):
                painting = node.value[index]
                if isinstance(painting, yaml.MappingNode):
                    return painting
    raise ValueError("its paintings are not a list of mappings")


def _with_loop(ballad: Ballad, index: int, loop: Loop) -> Ballad:
    painting = ballad.paintings[index].model_copy(
        update={"loop_strength": loop.strength, "loop_seed": loop.seed}
    )
    paintings = (*ballad.paintings[:index], painting, *ballad.paintings[index + 1 :])
    return ballad.model_copy(update={"paintings": paintings})
