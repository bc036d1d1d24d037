"""What is told, and that it was not taken."""

from __future__ import annotations

from dataclasses import dataclass


class TellingError(Exception):
    """A message was not taken. may_help: whether trying again may help."""

    def __init__(self, sentence: str, *, may_help: bool = True) -> None:
        super().__init__(sentence)
        self.may_help = may_help


@dataclass(frozen=True)
class Message:
    """state: open, red or green. text: one sentence or two. at_ns: UTC since 1970."""

    show: str
    state: str
    text: str
    at_ns: int
