"""The keys of the light table: the words that explain them, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from training.light_table.hands import Hands

KEYS: tuple[tuple[str, str], ...] = (
    ("← → ↑ ↓", "look at another one of the hundred"),
    ("0", "look at the one in their centre"),
    ("Enter", "choose it"),
    ("f", "make it a favourite, or none"),
    ("Space", "play its noise loop, or stop"),
    ("r", "draw the noise of the loop again"),
    ("b", "breed: a hundred neighbours of it"),
    ("h", "halfway: on one, then on another"),
    ("n  p", "another hundred, the hundred before"),
    ("+  −", "stronger, weaker neighbours"),
    ("Backspace", "back to what they were bred from"),
    ("e", "enlarge it"),
    ("c", "compare it with the painting, the projection, the choice"),
    ("z", "smooth, or every pixel a square"),
    ("u  U", "undo, redo"),
    ("1 – 9", "that painting"),
    ("[  ]", "the ballad before, the next ballad"),
    ("Esc", "close what is open"),
    ("?", "these keys"),
)


def press(hands: Hands, key: str, *, control: bool = False) -> None:
    """Do what a key stands for; others do nothing."""
    if control:
        key = {"z": "u", "Z": "U", "y": "U"}.get(key, "")
    action = action_of(hands, key)
    if action is not None:
        hands.attempt(action)


def action_of(hands: Hands, key: str) -> Callable[[], None] | None:
    """What a key, named as browsers name it, stands for."""
    if len(key) == 1 and key in "123456789":
        return partial(hands.go_to_painting, int(key) - 1)
    actions: dict[str, Callable[[], None]] = {
        "ArrowLeft": lambda: hands.move("left"),
        "ArrowRight": lambda: hands.move("right"),
        "ArrowUp": lambda: hands.move("up"),
        "ArrowDown": lambda: hands.move("down"),
        "0": lambda: hands.look(0),
        "Enter": hands.pick,
        "f": hands.favour,
        " ": hands.play,
        "r": hands.reroll,
        "b": hands.breed,
        "h": hands.halfway,
        "n": lambda: hands.another_hundred(1),
        "p": lambda: hands.another_hundred(-1),
        "+": lambda: hands.strengthen(1),
        "-": lambda: hands.strengthen(-1),
        "Backspace": hands.back,
        "e": lambda: hands.enlarge(None if hands.view.beside else "alone"),
        "c": hands.compare,
        "z": hands.smooth,
        "u": hands.undo,
        "U": hands.redo,
        "[": lambda: hands.go_to_ballad(-1),
        "]": lambda: hands.go_to_ballad(1),
        "Escape": hands.close,
        "?": lambda: hands.show_keys(not hands.keys_shown),
    }
    return actions.get(key)
