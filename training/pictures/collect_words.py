"""Other people's words, made fit for one line of a table.

Titles and names come from strangers: they may hold line breaks, marks that turn the direction of
writing, or a formula that a spreadsheet would work out when the table is opened.
"""

from __future__ import annotations

import unicodedata

MOST_LETTERS = 300
FORMULA = ("=", "+", "-", "@")
# they change the order in which the rest of a line is shown
DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """The text without control characters and lone surrogates, its spaces single, cut at 300."""
    kept = "".join(
        " " if letter.isspace() or unicodedata.category(letter) == "Cc" else letter
        for letter in text
        if letter not in DIRECTION and unicodedata.category(letter) != "Cs"
    )
    return " ".join(kept.split())[:MOST_LETTERS].rstrip()


def guarded(text: str) -> str:
    """With an apostrophe before what a spreadsheet takes for a formula; `unguarded` undoes it."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    is_guarded = text.startswith("'") and text.lstrip("'").startswith(FORMULA)
    return text[1:] if is_guarded else text
