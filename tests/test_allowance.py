"""What may be spent on small work after each frame, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from player.wall.allowance import LEARNING, REMEMBERED, Allowance

SHARE_NS, MOST_NS = 500_000, 3_000_000
FRAMES = 2000


def spent_by(cost_ns: Callable[[int], int], frames: int = FRAMES) -> tuple[list[int], list[int]]:
    """Pieces of seven, and ns, of every frame. cost_ns: of a piece in that frame."""
    allowance = Allowance(SHARE_NS, MOST_NS)
    pieces, spent = [], []
    for frame in range(frames):
        count = allowance.pieces(7)
        pieces.append(count)
        spent.append(count * cost_ns(frame))
        if count:
            allowance.spent(count, spent[-1])
    return pieces, spent


def test_what_is_cheap_is_all_done_in_every_frame() -> None:
    pieces, _ = spent_by(lambda frame: 60_000, 20)
    assert pieces[:LEARNING] == [1] * LEARNING and set(pieces[LEARNING:]) == {7}


def test_what_is_dearer_is_all_done_in_every_few() -> None:
    pieces, _ = spent_by(lambda frame: 140_000, 44)  # seven are 1.96 shares
    assert pieces[LEARNING + 1 :] == [7, 0] * 20


@pytest.mark.parametrize("cost_ns", [60_000, 200_000, 450_000, 1_400_000, 30_000_000])
def test_on_average_the_share_is_spent_and_no_more(cost_ns: int) -> None:
    pieces, spent = spent_by(lambda frame: cost_ns)
    charged_ns = sum(spent[LEARNING:])
    assert charged_ns <= FRAMES * SHARE_NS + max(MOST_NS, cost_ns)  # the last ones are on credit
    assert charged_ns >= 0.7 * FRAMES * min(SHARE_NS, 7 * cost_ns)
    assert max(pieces) <= 7 and max(spent) <= max(MOST_NS, cost_ns)


def test_making_things_ready_and_interruptions_are_nobodys_cost() -> None:
    interrupted = (0, 1, 50, 51, 52, 90)
    pieces, _ = spent_by(lambda frame: 80_000_000 if frame in interrupted else 60_000, 100)
    assert pieces[:LEARNING] == [1] * LEARNING and set(pieces[LEARNING:]) == {7}


def test_what_has_become_dear_is_noticed_and_forgotten_again() -> None:
    pieces, spent = spent_by(lambda frame: 1_000_000 if 100 <= frame < 700 else 60_000)
    assert pieces[99] == 7 and pieces[-1] == 7
    settled = spent[100 + 20 * REMEMBERED : 700]
    assert sum(settled) / len(settled) == pytest.approx(SHARE_NS, rel=0.1)


def test_nothing_to_do_costs_nothing() -> None:
    assert Allowance(SHARE_NS, MOST_NS).pieces(0) == 0
