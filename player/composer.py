"""What the wall shows at a tick, as shots; and the pictures they need, uploaded once each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from player.cards.calibration_card import calibration_card
from player.cards.frame_strip import strip_picture, strip_rectangle
from player.cards.identify_card import STRIP_ENLARGED, identify_card
from player.cards.strip_code import StripError
from player.frame_source import Pictures
from player.reload.morph import Editions, mixed_focus
from player.slate_source import SlateSource, ballad_colour
from player.source_policy import FILM, LIVE, SLATE
from player.sources import Choice
from player.transport import Transport, light_at
from player.wall.contract import Wall
from player.wall.shots import Layer, Overlay, Shot
from shows.show import Show
from shows.timeline import position_at

# Of relative luminance in a frame: a blackout's ramp, and no more.
LARGEST_STEP = 1 / 15


class Composer:
    """Chooses layers and overlays per screen. Uploads a source only when its pictures changed."""

    def __init__(
        self, show: Show, wall: Wall, slates: SlateSource, screens: tuple[int, ...], *, stamp: bool
    ) -> None:
        """screens: which of the show's hang on this wall, in the wall's order. stamp: the strip of
        the frame number is on every picture, not only on cards."""
        self._show, self._wall, self._slates = show, wall, slates
        self._editions = Editions(show)
        self._screens, self._stamp = screens, stamp
        self._uploaded: dict[str, object] = {}
        self._may_draw_card = True
        self._gain: float | None = None

    def take_over(self, editions: Editions, slates: SlateSource) -> None:
        """The show was read anew. Stills and cards are uploaded again when they are next seen."""
        self._editions, self._show, self._slates = editions, editions.show, slates
        self._uploaded.pop("slate", None)
        for place in range(len(self._screens)):
            self._uploaded.pop(f"identify card {place}", None)

    def compose(
        self, transport: Transport, tick: int, frame: int, choice: Choice, brightness: float = 1.0
    ) -> list[Shot]:
        """One shot for each screen of the wall. brightness: relative luminance, 0 to 1."""
        stills: Pictures | None = None
        if any(weights[SLATE] > 0 for weights in choice.weights):
            positions = [position_at(self._show, transport.cues[n], frame) for n in self._screens]
            keys = [(position.ballad_id, position.painting_index) for position in positions]
            stills = self._slates.pictures_for(keys, frame)
            self._upload("slate", stills.serial, stills.pixels)
        if any(weights[LIVE] > 0 for weights in choice.weights):
            for key in choice.keys:
                self._upload(key.name, key.pictures.serial, key.pictures.pixels)
        if choice.film is not None and any(weights[FILM] > 0 for weights in choice.weights):
            self._upload("film", choice.film.serial, choice.film.pixels)
        if self._stamp or transport.card or transport.identified:
            self._upload("strip", frame, strip_picture(frame)[None])
        gain = self._limited(light_at(transport, tick) * brightness)
        shares = self._editions.shares(transport.cues, frame)
        self._may_draw_card = True
        shots = []
        for place, screen in enumerate(self._screens):
            layers, fit = (
                _layers(place, choice, stills),
                self._show.settings.screens[screen].fit,
            )
            test_card = self._calibration_card(place) if transport.card else None
            if test_card is not None:
                layers, fit = (Layer(test_card, 0, 1.0),), "stretch"
            identified = screen in transport.identified
            overlays = self._identify_card(place, transport, frame) if identified else []
            if self._stamp or transport.card or identified:
                overlays += self._strip(place, STRIP_ENLARGED if identified else 1)
            focus = mixed_focus(shares, screen, frame)
            is_card = test_card is not None
            shots.append(
                Shot(layers, gain, fit, tuple(overlays), whole=is_card, focus=focus, frame=frame)
            )
        return shots

    def _limited(self, wanted: float) -> float:
        """The light of this tick. Whatever asks for it, a wall of screens never flashes: the first
        picture alone comes at once."""
        before = wanted if self._gain is None else self._gain
        self._gain = min(max(wanted, before - LARGEST_STEP), before + LARGEST_STEP)
        return self._gain

    def _strip(self, place: int, enlarged: int) -> list[Overlay]:
        try:
            where = strip_rectangle(self._wall.logical_size_of(place), enlarged)
        except StripError:
            return []  # a screen of so few pixels has no room for it
        return [Overlay("strip", 0, where)]

    def _calibration_card(self, place: int) -> str | None:
        source, size_px = f"calibration card {place}", self._wall.logical_size_of(place)
        return self._card(source, size_px, lambda: calibration_card(size_px))

    def _identify_card(self, place: int, transport: Transport, frame: int) -> list[Overlay]:
        screen = self._screens[place]
        size_px, standing = self._wall.logical_size_of(place), self._wall.standing_of(place)
        ballad = self._show.ballad(position_at(self._show, transport.cues[screen], frame).ballad_id)
        card = self._card(
            f"identify card {place}",
            (size_px, ballad.id, standing),
            lambda: identify_card(
                size_px,
                number=screen + 1,
                screen_name=self._show.settings.screens[screen].name,
                output_text=standing.output,
                refresh_text=standing.refresh,
                ballad_title=ballad.title,
                colour=ballad_colour(ballad.id, ballad.colour),
            ),
        )
        return [] if card is None else [Overlay(card, 0, (0, 0, *size_px))]

    def _card(self, source: str, key: object, draw: Callable[[], NDArray[np.uint8]]) -> str | None:
        """The source's name, once it is there. One card is drawn on a tick: it takes 25 ms."""
        if self._uploaded.get(source) != key:
            if not self._may_draw_card:
                return None
            self._may_draw_card = False
            self._upload(source, key, draw()[None])
        return source

    def _upload(self, source: str, key: object, pixels: NDArray[np.uint8]) -> None:
        if self._uploaded.get(source) != key:
            self._wall.upload(source, pixels)
            self._uploaded[source] = key


def _layers(place: int, choice: Choice, stills: Pictures | None) -> tuple[Layer, ...]:
    """The still underneath, the film over it, live over both; only what is seen."""
    live, film, slate = choice.weights[place]
    layers = []
    if slate > 0 and stills is not None:
        layers.append(Layer("slate", stills.picture_of_screen[place], slate))
    if film > 0:
        layers += [Layer("film", index, film * share) for index, share in choice.films[place].mixed]
    if live > 0:
        layers += [
            Layer(key.name, key.pictures.picture_of_screen[place], live * key.share)
            for key in choice.keys
        ]
    return tuple(layers)
