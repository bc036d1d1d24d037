"""Small views out of the pictures as they were uploaded, without the graphics driver.

Where the processor draws, a view of 112x63 costs it 0.3 ms and more through OpenGL and a fifth of
that here: one texel is taken for a pixel instead of sixteen, and no thread waits for another. All
else (place, corners, mix, blend, colour, light) is as the shaders have it, within a step or two.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from player.wall.calibration import IDENTITY, PreparedCalibration, ScreenCalibration, prepared
from player.wall.light_curve import (
    GAIN_EXPONENT,
    bytes_of_light,
    decoded,
    encoded,
    light_of_bytes,
)
from player.wall.picture_store import PictureStore
from player.wall.shots import Layer, Overlay, Placement, Shot, place

Pixels = NDArray[np.uint8]

_LIGHT = decoded(np.arange(256) / 255)


def thin_view(
    store: PictureStore, shot: Shot, size_px: tuple[int, int], calibration: ScreenCalibration
) -> Pixels:
    """[H, W, 4] of a shot from the top.

    size_px: (width, height) of the view, for which the shot's overlays are given. calibration: of
    a screen that stands upright.
    """
    screen = prepared(calibration, size_px)
    width, height = size_px
    if shot.gain == 0:
        view = np.zeros((height, width, 4), np.uint8)
    else:
        view = _shaded(_mixed(store, shot, screen), shot.gain**GAIN_EXPONENT, screen)
    for overlay in shot.overlays:
        _lay_over(view, _whole_pixels(store.uploaded(overlay)), overlay)
    return view


def _mixed(store: PictureStore, shot: Shot, screen: PreparedCalibration) -> Pixels:
    """The layers one after the other, each over those before it."""
    layers = [layer for layer in shot.layers if layer.weight > 0]
    first = _placed(store, layers[0], shot, screen)
    if len(layers) == 1:
        return first
    light = light_of_bytes(first)
    weight_so_far = layers[0].weight
    for layer in layers[1:]:
        weight_so_far += layer.weight
        over = light_of_bytes(_placed(store, layer, shot, screen))
        over -= light
        over *= layer.weight / weight_so_far
        light += over
    return bytes_of_light(light)


def _shaded(view: Pixels, factor: float, screen: PreparedCalibration) -> Pixels:
    """By the screen's light, blend, black and gamma, and by a factor on what is stored."""
    gamma = screen.calibration.gamma
    if screen.features & {"blend", "black"}:
        kept, lift = _blended(screen)
        light = light_of_bytes(view)
        light *= kept
        np.minimum(light, 1, out=light)
        if lift is not None:
            light += lift * (1 - light)
        if gamma != 1:
            light **= 1 / gamma
        return _looked_up(bytes_of_light(light), _table(factor * np.arange(256)))
    if factor == 1 and gamma == 1 and screen.light == (1.0, 1.0, 1.0):
        return view
    lights = (np.minimum(light * _LIGHT, 1.0) ** (1 / gamma) for light in screen.light)
    tables = [_table(255 * factor * encoded(light)) for light in lights]
    if tables[0] == tables[1] == tables[2]:
        return _looked_up(view, tables[0])
    for channel, table in enumerate(tables):
        view[..., channel] = _looked_up(view[..., channel], table)
    return view


def _placed(store: PictureStore, layer: Layer, shot: Shot, screen: PreparedCalibration) -> Pixels:
    """One layer as it is stored, black around it."""
    picture = _whole_pixels(store.uploaded(layer))
    height_px, width_px = picture.shape
    values = IDENTITY if shot.whole else screen.calibration
    placement = place(
        values.fit or shot.fit,
        (width_px, height_px),
        screen.logical_px,
        values.crop,
        focus=shot.focus,
        coarsest=0,
    )
    texels, lit = _texels(screen, placement, width_px, height_px)
    thin = picture.reshape(-1).take(texels)
    if lit is not None:
        thin *= lit
    return thin.view(np.uint8).reshape(*thin.shape, 4)


@lru_cache(maxsize=64)
def _texels(
    screen: PreparedCalibration, placement: Placement, width_px: int, height_px: int
) -> tuple[NDArray[np.intp], NDArray[np.bool] | None]:
    """[H, W]: which texel of a picture, row after row, lies under each pixel's middle; and whether
    any does, None where all of them do."""
    x, y = _logical_pixels(screen)
    across = np.clip(x * placement.scale[0] + placement.offset[0], 0, width_px - 1)
    down = np.clip(y * placement.scale[1] + placement.offset[1], 0, height_px - 1)
    texels: NDArray[np.intp] = down.astype(np.intp) * width_px + across.astype(np.intp)
    left, top, width, height = placement.target
    lit = (x > left) & (x < left + width) & (y > top) & (y < top + height)
    return texels, None if lit.all() else lit


@lru_cache(maxsize=64)
def _logical_pixels(screen: PreparedCalibration) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of every pixel's middle, in logical pixels: [1, W] and [H, 1], or [H, W] each."""
    width, height = screen.size_px
    y, x = np.ogrid[0.5:height, 0.5:width]
    if "warp" in screen.features:
        pixels = np.stack(np.broadcast_arrays(x, y, 1.0), axis=-2)  # [H, 3, W]
        x, y, far = np.moveaxis(screen.to_logical @ pixels, -2, 0)
        # beyond its horizon a bent plane comes back from the other side
        x, y = (np.where(far > 0, at, -1.0) / np.maximum(far, 1e-6) for at in (x, y))
    return x, y


@lru_cache(maxsize=64)
def _blended(
    screen: PreparedCalibration,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """The share of the light that the screen keeps, [H, W, 4]; and how far its black is lifted,
    [H, W, 1], None where it is not."""
    x, y = np.broadcast_arrays(*_logical_pixels(screen))
    sides = np.stack([x, y, x, y], axis=-1)
    ramp = np.clip(sides * screen.ramp_scale + screen.ramp_bias, 0.0, 1.0)
    kept = (ramp * ramp * (3 - 2 * ramp)).prod(axis=-1, keepdims=True)
    kept = (kept * (*screen.light, 1)).astype(np.float32)
    if "black" not in screen.features:
        return kept, None
    width, height = screen.logical_px
    is_on = (x > 0) & (x < width) & (y > 0) & (y < height) & (ramp == 1).all(axis=-1)
    return kept, (screen.calibration.black * is_on[..., None]).astype(np.float32)


def _lay_over(view: Pixels, picture: NDArray[np.uint32], overlay: Overlay) -> None:
    """A card or a strip as it is: every texel a block, neither bent, faded nor coloured."""
    height_px, width_px = picture.shape
    x, y, width, height = overlay.rectangle
    columns = np.arange(max(x, 0), min(x + width, view.shape[1]))
    rows = np.arange(max(y, 0), min(y + height, view.shape[0]))[:, None]
    across = ((columns - x + 0.5) * width_px / width).astype(np.intp)
    down = ((rows - y + 0.5) * height_px / height).astype(np.intp)
    thin = picture[down, across]
    view[rows, columns] = thin.view(np.uint8).reshape(*thin.shape, 4)


def _whole_pixels(picture: Pixels) -> NDArray[np.uint32]:
    """[H, W]: a pixel as one number, which is moved in one go."""
    whole: NDArray[np.uint32] = np.ascontiguousarray(picture).view(np.uint32)[..., 0]
    return whole


def _table(stored: NDArray[np.floating]) -> bytes:
    return bytes(np.rint(stored).astype(np.uint8))


def _looked_up(values: Pixels, table: bytes) -> Pixels:
    """By way of bytes, which takes a fifth of the time of an array as an index."""
    return np.frombuffer(bytearray(values).translate(table), np.uint8).reshape(values.shape)
