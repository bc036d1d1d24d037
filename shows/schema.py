"""The words of a show's YAML files, as frozen pydantic models.

`show.yaml` is a `ShowSettings`; `ballads/<id>/ballad.yaml` is a `Ballad`, and its id the folder's
name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from shows.notify_schema import Notify
from shows.schedule_schema import Projector, Schedule, projector_faults
from shows.schema_base import Host as Host
from shows.schema_base import Id as Id
from shows.schema_base import StrictModel as StrictModel
from shows.schema_base import listed as listed

SCHEMA_VERSION = 1
MAX_NODES = 62

Easing = Literal["linear", "smoothstep"]
Path = Literal["linear", "smooth"]
Phases = Literal["together", "wave", "scattered"]
Fit = Literal["cover", "contain", "stretch"]
NoiseMode = Literal["const", "none"]
Upscaling = Literal["auto", "soft", "sharp"]
Surface = Literal["none", "paper", "canvas", "cinema"]
Surround = Literal["black", "colour", "mirror", "blur"]


class ShowError(Exception):
    """A show cannot be read, or is asked for something it does not have; str() is the sentence."""


def parse_fps(value: object) -> Fraction:
    """A rate from YAML: a whole number, or the text "30000/1001"; 1 to 1000 frames a second.

    Raises ValueError. A decimal like 29.97 is refused: it is none of the rates it stands for.
    """
    wanted = 'write a whole number such as 30, or a quotient in quotes such as "30000/1001"'
    if isinstance(value, Fraction):
        rate = value
    elif isinstance(value, int) and not isinstance(value, bool):
        rate = Fraction(value)
    elif isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(/[0-9]{1,9})?", value):
        numerator, _, denominator = value.partition("/")
        if denominator and int(denominator) == 0:
            raise ValueError("has zero below the line; " + wanted)
        rate = Fraction(int(numerator), int(denominator or 1))
    else:
        raise ValueError(wanted)
    if not 1 <= rate <= 1000:
        raise ValueError("must lie between 1 and 1000 frames a second")
    return rate


def _fps_to_yaml(rate: Fraction) -> int | str:
    if rate.denominator == 1:
        return rate.numerator
    return f"{rate.numerator}/{rate.denominator}"


def _relative_file(value: str) -> str:
    if re.search(r'[\x00-\x1f\x7f\\:*?"<>|]', value):
        raise ValueError("is not a plain file name; write it with forward slashes only")
    if value.startswith("/") or value.endswith("/"):
        raise ValueError("must name a file inside the show's folder, relative to this file")
    return value


def _ipv4_address(value: str) -> str:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        raise ValueError("must be an IPv4 address such as 192.168.1.255") from None
    return value


_TextsIn = BeforeValidator(listed("texts"))
Fps = Annotated[Fraction, BeforeValidator(parse_fps), PlainSerializer(_fps_to_yaml)]
PaintingId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
RelativeFile = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_relative_file)]
Frames = Annotated[int, Field(ge=0, le=1_000_000)]
Pixels = Annotated[int, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Strength = Annotated[float, Field(ge=0, le=100)]


class Painting(StrictModel):
    """One illustration of a ballad and the line it stands for.

    file: relative to the ballad's folder. crop: x, y, width, height in pixels of the file.
    background: the colour that alpha is flattened on. scene: free, read by the painter alone.
    focus: what must be seen where a screen cannot show all: x and y, shares from the top left.
    loop_strength: of this painting's noise loop, None: the ballad's. loop_seed: another draw of its
    noise, when the ballad is published next.
    """

    id: PaintingId
    line: Text
    keywords: Annotated[tuple[Name, ...], _TextsIn] = ()
    emotions: Annotated[tuple[Name, ...], _TextsIn] = ()
    file: RelativeFile
    crop: Annotated[
        tuple[Pixels, Pixels, Pixels, Pixels] | None,
        BeforeValidator(lambda v: v if v is None else listed("four whole numbers")(v)),
    ] = None
    background: Colour | None = None
    scene: dict[str, Any] | None = None
    focus: Annotated[
        tuple[Share, Share] | None,
        BeforeValidator(lambda v: v if v is None else listed("two numbers")(v)),
    ] = None
    loop_strength: Strength | None = None
    loop_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @field_validator("crop")
    @classmethod
    def _crop_has_an_area(
        cls, value: tuple[int, int, int, int] | None
    ) -> tuple[int, int, int, int] | None:
        if value is not None and (value[2] == 0 or value[3] == 0):
            raise ValueError("is [x, y, width, height]; width and height must be above 0")
        return value


class Ballad(StrictModel):
    """One ballad: its paintings in order. child: its number in Child's collection.

    film: one made elsewhere, relative to the ballad's folder, played in place of the exported one.
    loop_strength: of its noise loops, None: the show's `noise_strength`.
    """

    id: Id
    title: Name
    child: Annotated[int, Field(ge=1, le=305)] | None = None
    colour: Colour | None = None
    film: RelativeFile | None = None
    loop_strength: Strength | None = None
    paintings: Annotated[
        tuple[Painting, ...],
        BeforeValidator(listed("paintings")),
        Field(min_length=1, max_length=1000),
    ]

    @model_validator(mode="after")
    def _painting_ids_differ(self) -> Self:
        ids = self.painting_ids
        return self_or_faults(
            self,
            [
                f"paintings[{index}].id: {ids[index]!r} is taken by another painting"
                for index in range(len(ids))
                if ids[index] in ids[:index]
            ],
        )

    @property
    def painting_ids(self) -> tuple[str, ...]:
        """The ids of the paintings, in order."""
        return tuple(painting.id for painting in self.paintings)


class Screen(StrictModel):
    """One output: its name, the ballad it opens with, and how a square picture meets it.

    surround: what lies around a picture that is shown whole (fit `contain`). phase_frames: how far
    on it shows ballads of its own; None: as the show's `phases` say.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)]
    ballad: Id
    fit: Fit = "cover"
    surround: Surround = "black"
    phase_frames: Frames | None = None


class Node(StrictModel):
    """One machine of a show that runs on several: where its clock sync listens, and its screens."""

    name: Id
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 9010
    screens: Annotated[
        tuple[str, ...], BeforeValidator(listed("screen names")), Field(min_length=1)
    ]


class Sync(StrictModel):
    """Clock sync of the nodes. key_file: a shared secret, relative to the show's folder.

    broadcast: the network's address that the leader sends to instead of to each node.
    """

    key_file: RelativeFile | None = None
    broadcast: Annotated[str, AfterValidator(_ipv4_address)] | None = None


class OscTarget(StrictModel):
    """Who is sent what changes: a controller, or what makes light and sound."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)]


class OscOut(StrictModel):
    """`osc` in `show.yaml`."""

    send_to: Annotated[
        tuple[OscTarget, ...], BeforeValidator(listed("targets")), Field(max_length=16)
    ] = ()


class ShowSettings(StrictModel):
    """`show.yaml`. Lengths in frames; noise_strength in units of w's standard deviation a stop.

    upscaling: of pictures much smaller than their screen; auto: sharp where a graphics card draws.
    surface: what the pictures seem to lie on, after scaling.
    groups: of screens, by a name in lower case, for commands.
    """

    schema_version: Literal[1]
    title: Name
    fps: Fps = Fraction(30)
    stops: Annotated[int, Field(ge=1, le=1000)] = 7
    frames_per_stop: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    morph_frames: Frames = 150
    ballad_change_frames: Frames = 150
    noise_strength: Strength = 0.25
    path: Path = "linear"
    phases: Phases = "together"
    easing: Easing = "linear"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    noise_cycles: Annotated[int, Field(ge=1, le=1000)] = 1
    noise_mode: NoiseMode = "const"
    truncation_psi: Annotated[float, Field(ge=-2, le=2)] = 1.0
    upscaling: Upscaling = "auto"
    surface: Surface = "none"
    generator: RelativeFile = "generator.safetensors"
    ballads: Annotated[
        tuple[Id, ...], BeforeValidator(listed("ballad folders")), Field(min_length=1)
    ]
    screens: Annotated[
        tuple[Screen, ...],
        BeforeValidator(listed("screens")),
        Field(min_length=1, max_length=64),
    ]
    nodes: Annotated[
        tuple[Node, ...], BeforeValidator(listed("nodes")), Field(max_length=MAX_NODES)
    ] = ()
    sync: Sync = Sync()
    groups: Annotated[
        dict[Id, Annotated[tuple[Name, ...], BeforeValidator(listed("screens"))]],
        Field(max_length=64, default_factory=dict),
    ]
    osc: OscOut = OscOut()
    schedule: Schedule | None = None
    notify: Notify | None = None
    projectors: Annotated[
        tuple[Projector, ...], BeforeValidator(listed("projectors")), Field(max_length=64)
    ] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        faults: list[str] = []
        for index, ballad_id in enumerate(self.ballads):
            if ballad_id in self.ballads[:index]:
                faults.append(f"ballads[{index}]: {ballad_id!r} stands in the list twice")
        names = [screen.name.casefold() for screen in self.screens]
        for index, screen in enumerate(self.screens):
            if names[index] in names[:index]:
                faults.append(f"screens[{index}].name: {screen.name!r} is taken by another screen")
            if screen.ballad not in self.ballads:
                known = ", ".join(self.ballads)
                faults.append(
                    f"screens[{index}].ballad: {screen.ballad!r} is not among the ballads: {known}"
                )
        faults += _group_faults(self.groups, names)
        faults += _node_faults(self)
        faults += [] if self.schedule is None else self.schedule.faults(self.ballads)
        faults += projector_faults(self.projectors)
        return self_or_faults(self, faults)


def _group_faults(groups: Mapping[str, tuple[str, ...]], screens: Sequence[str]) -> list[str]:
    return [
        f"groups.{group}: there is no screen {name!r}"
        for group, named in groups.items()
        for name in named
        if name.casefold() not in screens
    ]


def _node_faults(settings: ShowSettings) -> list[str]:
    """Names and sockets differ; every screen stands at exactly one node, if there are nodes."""
    faults: list[str] = []
    known = [screen.name for screen in settings.screens]
    stands_at: dict[str, int] = {}
    sockets: dict[tuple[str, int], int] = {}
    for index, node in enumerate(settings.nodes):
        if node.name in (earlier.name for earlier in settings.nodes[:index]):
            faults.append(f"nodes[{index}].name: {node.name!r} is taken by another node")
        other = sockets.setdefault((node.host.casefold(), node.port), index)
        if other != index:
            faults.append(
                f"nodes[{index}].port: {node.port} on {node.host} is that of nodes[{other}] too"
            )
        for place, name in enumerate(node.screens):
            where = f"nodes[{index}].screens[{place}]"
            if name not in known:
                faults.append(f"{where}: {name!r:.80} is not among the screens: {', '.join(known)}")
            elif name in stands_at:
                faults.append(f"{where}: {name!r} stands at nodes[{stands_at[name]}] already")
            else:
                stands_at[name] = index
    absent = [name for name in known if name not in stands_at]
    if settings.nodes and absent:
        faults.append(f"nodes: no node has the screen {absent[0]!r}; give every screen to one")
    ports = {node.port for node in settings.nodes}
    if settings.sync.broadcast is not None and len(ports) > 1:
        faults.append("sync.broadcast: needs the same port at every node")
    return faults


_ModelT = TypeVar("_ModelT", bound=StrictModel)


def self_or_faults(model: _ModelT, faults: list[str]) -> _ModelT:
    """For a model_validator: the model, or ValueError with `path: sentence` a line."""
    if faults:
        raise ValueError("\n".join(faults))
    return model


def parse_settings(data: Mapping[str, object], source: str) -> ShowSettings:
    """`show.yaml` as read. source: the file's name for the faults. Raises ShowError."""
    return parse_model(ShowSettings, data, source)


def parse_ballad(ballad_id: str, data: Mapping[str, object], source: str) -> Ballad:
    """`ballad.yaml` as read, with the id its folder gives it. Raises ShowError."""
    if "id" in data:
        raise ShowError(f"{source}: id: must not be written here; it is the folder's name.")
    paintings = data.get("paintings")
    entries: list[tuple[str, object]] = [("", data)]
    if isinstance(paintings, list):
        entries += [(f"paintings[{index}].", entry) for index, entry in enumerate(paintings)]
    for where, entry in entries:
        for name in ("colour", "background"):
            if isinstance(entry, Mapping) and name in entry and entry[name] is None:
                raise ShowError(
                    f"{source}: {where}{name}: is empty; a colour needs quotes, as in "
                    '"#1e6080" (without them YAML takes it for a comment).'
                )
    return parse_model(Ballad, {"id": ballad_id, **data}, source)


def parse_model(model: type[_ModelT], data: Mapping[str, object], source: str) -> _ModelT:
    """The model that YAML data makes. source: the file's name for the faults.

    Raises ShowError: a line for each fault, at most 20, each naming source and path.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = [
            f"{source}: {line}" for fault in error.errors() for line in _sentences(dict(fault))
        ]
        raise ShowError("\n".join(faults[:20])) from error


def _sentences(fault: Mapping[str, Any]) -> list[str]:
    path = ""
    for part in fault["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)[:80]
    if fault["type"] == "missing":
        text = "is missing"
    elif fault["type"] == "extra_forbidden":
        text = "is not a word this file knows; check its spelling, or take it out"
    elif fault["type"] == "value_error":
        text = str(fault["ctx"]["error"])
    else:
        text = fault["msg"][0].lower() + fault["msg"][1:] + f" (it is {_shown(fault['input'])})"
    return [f"{path}: {line}." if path else f"{line}." for line in text.splitlines()]


def _shown(value: object) -> str:
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python writes no integer of more than 4300 digits
        return "a very long number"
