"""Every kind of thing a scene can name, and what paints it."""

from __future__ import annotations

from collections.abc import Callable

from training.painter.boats import boat, ship, swan
from training.painter.buildings import bridge, castle, church, cottage, graves, stones, tower
from training.painter.figures import (
    birds,
    bonfire,
    couple,
    deer,
    knight,
    lantern,
    person,
    raven,
    rider,
)
from training.painter.palette import Colour
from training.painter.plants import bare_tree, flowers, pine, rose, tree
from training.painter.stage import Stage

# Stage, x and y of the foot, height (all in 0..1 of the canvas), main colour.
ElementPainter = Callable[[Stage, float, float, float, Colour], None]

# By kind: its painter, its height where the scene says none, and its colour where the scene says
# none: the number of an accent, or -1 for the ground and -2 for the near hills.
ELEMENTS: dict[str, tuple[ElementPainter, float, int]] = {
    "cottage": (cottage, 0.2, 0),
    "castle": (castle, 0.34, 0),
    "tower": (tower, 0.36, 0),
    "church": (church, 0.32, 2),
    "ship": (ship, 0.46, 0),
    "boat": (boat, 0.24, 0),
    "tree": (tree, 0.5, -1),
    "pine": (pine, 0.4, -2),
    "bare-tree": (bare_tree, 0.55, -2),
    "birds": (birds, 0.1, -2),
    "raven": (raven, 0.22, -2),
    "person": (person, 0.24, 0),
    "couple": (couple, 0.24, 0),
    "rider": (rider, 0.3, 0),
    "flowers": (flowers, 0.22, 0),
    "rose": (rose, 0.4, 0),
    "stones": (stones, 0.18, -2),
    "bridge": (bridge, 0.16, -2),
    "graves": (graves, 0.17, -2),
    "swan": (swan, 0.11, 1),
    "deer": (deer, 0.22, -2),
    "bonfire": (bonfire, 0.2, 0),
    "knight": (knight, 0.14, 0),
    "lantern": (lantern, 0.26, 1),
}
