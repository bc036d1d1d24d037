"""What is drawn over the pictures: strips, identify cards, the calibration card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from player.cards.strip_reader import decode
from player.clock import OfflineClock
from player.composer import Composer
from player.frame_source import Pictures
from player.live_keys import Key
from player.slate_source import SlateSource
from player.sources import Choice
from player.transport import Transport, opening_transport
from player.wall.shots import Shot
from shows.show import Show
from tests.loop_fakes import FakeWall
from tests.tiny_show import make_tiny_show


class LargeWall(FakeWall):
    """As large as a real screen; one of them stands on its side."""

    def logical_size_of(self, screen: int) -> tuple[int, int]:
        return (240, 320) if screen == 1 else (320, 240)


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Show:
    folder: Path = tmp_path_factory.mktemp("show")
    return make_tiny_show(folder, screens=3, ballads=3, paintings=2, size=4)


class Desk:
    def __init__(self, show: Show, *, stamp: bool, screens: tuple[int, ...] = (0, 1, 2)) -> None:
        self.wall = LargeWall(OfflineClock(), len(screens))
        self.composer = Composer(show, self.wall, SlateSource(show, 4), screens, stamp=stamp)
        pictures = Pictures(5, np.zeros((3, 4, 4, 4), np.uint8), (0, 1, 2), 1)
        self.choice = Choice(((1.0, 0.0, 0.0),) * 3, (Key("live 0", pictures, 1.0),))

    def shots(self, transport: Transport, frame: int = 5) -> list[Shot]:
        shots = self.composer.compose(transport, frame, frame, self.choice)
        self.wall.draw(shots)
        return shots


def test_nothing_lies_over_an_ordinary_picture(show: Show) -> None:
    desk = Desk(show, stamp=False)
    assert [shot.overlays for shot in desk.shots(opening_transport(show))] == [(), (), ()]
    assert desk.wall.uploads == ["live 0"]


def test_a_stamp_tells_the_frame_and_is_made_once_a_frame(show: Show) -> None:
    desk = Desk(show, stamp=True)
    for frame in (5, 5, 6):
        shots = desk.shots(opening_transport(show), frame)
        assert [len(shot.overlays) for shot in shots] == [1, 1, 1]
        screen = np.zeros((240, 320, 3), np.uint8)
        x, y, width, height = shots[0].overlays[0].rectangle
        strip = desk.wall._pixels["strip"][0, :, :, :3]
        rows = np.arange(height) * len(strip) // height
        columns = np.arange(width) * strip.shape[1] // width
        screen[y : y + height, x : x + width] = strip[rows][:, columns]
        assert decode(screen) == frame
    assert desk.wall.uploads.count("strip") == 2
    x, y, width, height = shots[1].overlays[0].rectangle
    assert x == 0 and y + height == 320 and width < 240, "in the corner of a screen on its side"


def test_an_identified_screen_has_its_card_and_the_others_none(show: Show) -> None:
    desk = Desk(show, stamp=False)
    transport = Transport(0, 0, 1, opening_transport(show).cues, False, -99, frozenset({1}))
    shots = desk.shots(transport)
    assert [len(shot.overlays) for shot in shots] == [0, 2, 0]
    card, strip = shots[1].overlays
    assert card.rectangle == (0, 0, 240, 320) and strip.source == "strip"
    assert desk.wall._pixels[card.source].shape == (1, 320, 240, 4)
    desk.shots(transport, 6)
    assert desk.wall.uploads.count(card.source) == 1, "the same card is not made again"


def test_the_calibration_card_takes_the_place_of_the_pictures(show: Show) -> None:
    desk = Desk(show, stamp=False)
    transport = Transport(0, 0, 1, opening_transport(show).cues, False, -99, card=True)
    counts = []
    for _ in range(4):
        shots = desk.shots(transport)
        counts.append(sum(shot.layers[0].source.startswith("calib") for shot in shots))
    assert counts == [1, 2, 3, 3], "one card is drawn on a tick"
    assert all(shot.whole for shot in shots)
    assert [shot.layers[0].source for shot in shots] == [f"calibration card {n}" for n in range(3)]
    assert {shot.fit for shot in shots} == {"stretch"}
    assert desk.wall._pixels["calibration card 1"].shape == (1, 320, 240, 4)
    assert desk.shots(opening_transport(show))[0].layers[0].source == "live 0"


def test_a_wall_of_some_of_the_screens_shows_those(show: Show) -> None:
    desk = Desk(show, stamp=False, screens=(2, 0))
    transport = Transport(0, 0, 1, opening_transport(show).cues, False, -99, frozenset({0}))
    shots = desk.composer.compose(transport, 0, 0, Choice(((0.0, 0.0, 1.0),) * 2))
    assert [len(shot.overlays) for shot in shots] == [0, 2]
    stills = SlateSource(show, 4).pictures_for([("ballad-3", 0), ("ballad-1", 0)])
    desk.wall.draw(shots)
    for place in range(2):
        drawn = desk.wall._pixels["slate"][shots[place].layers[0].picture]
        assert (drawn == stills.pixels[place]).all()


def test_a_screen_without_room_for_a_strip_does_without(show: Show) -> None:
    desk = Desk(show, stamp=True)
    desk.composer = Composer(
        show, FakeWall(OfflineClock(), 3), SlateSource(show, 4), (0, 1, 2), stamp=True
    )
    shots = desk.composer.compose(opening_transport(show), 5, 5, desk.choice)
    assert [shot.overlays for shot in shots] == [(), (), ()]
