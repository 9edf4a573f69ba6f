"""The pixels of files with 16 or 32 bits per channel, in 16-bit sRGB: psd-tools' own pictures have 8.

Values are decoded by psd-tools and read here as the numbers that they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from acetate.raster import RGBA16, Pixels
from acetate.raster.arrays import rounded
from acetate.vocabulary.box import Box
from numpy.typing import NDArray
from psd_tools import PSDImage
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.api.utils import get_transparency_index, has_transparency
from psd_tools.constants import ChannelID, ColorMode

from ..composition.deep_colour import from_light, rgba_of, to_srgb16
from .merged_picture import StoredPicture

_Cover = RGBA16 | None

MODES = {
    ColorMode.RGB: "RGB",
    ColorMode.GRAYSCALE: "L",
    ColorMode.DUOTONE: "L",
    ColorMode.CMYK: "CMYK",
    ColorMode.LAB: "LAB",
}
"""As Pillow calls them. Other modes have no layers."""
SAMPLES = {16: ">u2", 32: ">f4"}
"""As the file has them, to numpy."""
ROWS = 256
"""Rows that are converted at a time."""

Planes = NDArray[np.uint16] | NDArray[np.float32]


class DeepPixels(NamedTuple):
    """A picture in sRGB, and how it got there."""

    rgba: Pixels
    """`(H, W, 4)` straight: uint16, or uint8 where a profile can be applied to no more."""
    notes: tuple[str, ...]
    cut: float
    """The share of linear light in [0, 1] that was brighter than white or outside sRGB."""


def of_layer(layer: PSDLayer, icc: bytes | None) -> DeepPixels | None:
    """What a layer stores; `None` where a channel is missing."""
    psd = layer._psd
    stored = dict(zip((info.id for info in layer._record.channel_info), layer._channels, strict=False))
    wanted = [ChannelID(number) for number in range(ColorMode.channels(psd.color_mode))]
    if any(channel not in stored or not stored[channel].data for channel in wanted):
        return None

    def plane(channel: ChannelID) -> Planes:
        data = stored[channel].get_data(layer.width, layer.height, psd.depth, psd.version)
        values = np.frombuffer(data, SAMPLES[psd.depth]).reshape(layer.height, layer.width)
        return cast(Planes, values.astype(values.dtype.newbyteorder("=")))

    transparency = stored.get(ChannelID.TRANSPARENCY_MASK)
    alpha = plane(ChannelID.TRANSPARENCY_MASK) if transparency is not None and transparency.data else None
    return _assembled([plane(channel) for channel in wanted], alpha, psd.color_mode, icc)


def of_merged_picture(psd: PSDImage, icc: bytes | None) -> DeepPixels:
    """What the file stores beside its layers, white taken out of it again."""
    samples: NDArray[Any] = StoredPicture(psd).read(Box(0, 0, psd.width, psd.height))
    colour = list(samples[: ColorMode.channels(psd.color_mode)])
    if not has_transparency(psd):
        return _assembled(colour, None, psd.color_mode, icc)
    index = get_transparency_index(psd)
    return _assembled(colour, samples[index if index >= 0 else len(colour)], psd.color_mode, icc, over_white=True)


def _assembled(
    colour: Sequence[Planes], alpha: Planes | None, mode: ColorMode, icc: bytes | None, *, over_white: bool = False
) -> DeepPixels:
    """Planes as one picture, made a few rows at a time: on the way each number takes several times its place."""
    parts = []
    for top in range(0, len(colour[0]), ROWS):
        planes: NDArray[Any] = np.stack([plane[top : top + ROWS] for plane in colour])
        cover: NDArray[Any] | None = None if alpha is None else alpha[top : top + ROWS]
        parts.append(_in_srgb(_without_white(planes, cover) if over_white and cover is not None else planes, cover, mode, icc))
    rgba = cast(Pixels, np.concatenate([part.rgba for part in parts]))
    return DeepPixels(rgba, parts[0].notes, sum(part.cut * len(part.rgba) for part in parts) / len(rgba))


def _in_srgb(planes: NDArray[Any], alpha: NDArray[Any] | None, mode: ColorMode, icc: bytes | None) -> DeepPixels:
    if planes.dtype == np.float32:
        light, cut = from_light(planes, icc)
        cover = None if alpha is None else rounded(np.nan_to_num(alpha) * np.float32(65535), np.uint16)
        return DeepPixels(rgba_of(light, cast(_Cover, cover)), (), cut)
    if mode == ColorMode.CMYK:  # PSD counts the ink that is left out
        planes = np.uint16(65535) - planes
    found = to_srgb16(planes, MODES[mode], icc)
    return DeepPixels(rgba_of(found.rgb, alpha), found.notes, 0.0)


def _without_white(planes: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """What lies over white as it is by itself, in the type that it has."""
    white = np.float32(1 if planes.dtype == np.float32 else 65535)
    cover, values = np.clip(alpha / white, 0, 1), planes / white
    straight = np.maximum(np.divide(values - (1 - cover), cover, out=values.copy(), where=cover > 0), 0)
    return straight if planes.dtype == np.float32 else rounded(straight * white, np.uint16)
