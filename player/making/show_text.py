"""The YAML files of a new show, with comments that teach."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from player.making.picture_folder import FoundPicture

SCHEMA_FOLDER = "schema"
_SHOW = """\
# yaml-language-server: $schema={schema}/show.schema.json
# A show: how it moves and on which screens. Only what differs from the default need be written.
# `python run_installation.py validate DIR` finds every mistake; all words: docs/show-file.md.
schema_version: 1
title: {title}

# How it moves. A painting drifts for stops x frames_per_stop frames, then morphs into the next:
# 7 x 30 + 150 = 360 frames, 12 seconds at 30 frames a second.
fps: 30
stops: 7
frames_per_stop: 30
morph_frames: 150
ballad_change_frames: 150   # the morph when a screen changes its ballad
noise_strength: 0.12        # how far a painting drifts: 0 stands still, 0.5 leaves it behind
path: smooth                # linear: straight from point to point, with corners

# How it looks on the screen.
upscaling: auto             # soft, sharp; auto: sharp where a graphics card draws
surface: none               # paper, canvas, cinema

generator: generator.safetensors

# The ballads, each the name of a folder in ballads/, in the order of /ballad 1, /ballad 2, ...
ballads:
{ballads}
# The screens, from the left; each opens with a ballad. A screen more is a line more.
# fit: cover, contain, stretch; surround (with contain): black, colour, mirror, blur.
screens:
{screens}
# Opening hours (docs/schedule.md): take the # away and write yours.
# schedule:
#   timezone: Europe/London
#   open: {{weekdays: ["10:00-18:00"], weekend: ["11:00-17:00"]}}
"""
_BALLAD = """\
# yaml-language-server: $schema=../../{schema}/ballad.schema.json
# A ballad: its paintings in order; after the last one the first follows. All words:
# docs/show-file.md. Keep the ids once the ballad is published: its latents are found by them.
title: {title}
# child: 10             # its number in Child's collection
# colour: "#1e6080"     # of its cards; the quotes are needed
paintings:
"""
_PAINTING = """\
  - id: {painting_id}
    line: {line}
    file: {file}
"""
_TEACHING = """\
    # keywords: [river, night]     # for labels
    # crop: [0, 0, 600, 600]       # x, y, width, height in pixels: what is shown of the file
    # focus: [0.5, 0.4]            # what a wide or high screen keeps in its middle; from top left
    # loop_strength: 0.2           # of this painting alone, in place of noise_strength
"""


def show_text(title: str, ballads: Sequence[str]) -> str:
    """`show.yaml`, with a screen for each ballad."""
    return _SHOW.format(
        schema=SCHEMA_FOLDER,
        title=quoted(title),
        ballads="".join(f"  - {ballad}\n" for ballad in ballads),
        screens="".join(
            f"  - {{name: screen-{number}, ballad: {ballad}, fit: cover}}\n"
            for number, ballad in enumerate(ballads, 1)
        ),
    )


def ballad_text(title: str, pictures: Sequence[FoundPicture]) -> str:
    """`ballad.yaml`; the first painting shows what else could be said of one."""
    text = _BALLAD.format(schema=SCHEMA_FOLDER, title=quoted(title))
    for number, picture in enumerate(pictures):
        text += _PAINTING.format(
            painting_id=quoted(picture.painting_id),
            line=quoted(picture.line),
            file=quoted(picture.file),
        )
        text += _TEACHING if number == 0 else ""
    return text


def with_schema(text: str) -> str:
    """A ballad's YAML as it is, with the line that tells editors its schema."""
    return f"# yaml-language-server: $schema=../../{SCHEMA_FOLDER}/ballad.schema.json\n{text}"


def quoted(words: str) -> str:
    """As a text of YAML on one line, whatever is in it."""
    return yaml.safe_dump(words, default_style='"', allow_unicode=True, width=1_000_000).strip()
