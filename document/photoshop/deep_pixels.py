"""The pixels of files with 16 or 32 bits per channel, in 16-bit sRGB: psd-tools' own pictures have 8.

Values are decoded by psd-tools and read here as the numbers that they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from acetate.raster import RGBA16, Float, Pixels
from acetate.raster.arrays import rounded
from acetate.vocabulary.box import Box
from numpy.typing import NDArray
from psd_tools import PSDImage
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.api.utils import get_transparency_index, has_transparency
from psd_tools.constants import ChannelID, ColorMode

from ..composition.deep_colour import from_light, rgba_of, to_srgb16
from .merged_picture import StoredPicture

MODES = {
    ColorMode.RGB: "RGB",
    ColorMode.GRAYSCALE: "L",
    ColorMode.DUOTONE: "L",
    ColorMode.CMYK: "CMYK",
    ColorMode.LAB: "LAB",
}
"""As Pillow calls them. Other modes have no layers."""
SAMPLES = {16: np.dtype(">u2"), 32: np.dtype(">f4")}

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
        return _native(np.frombuffer(data, SAMPLES[psd.depth]).reshape(layer.height, layer.width))

    transparency = stored.get(ChannelID.TRANSPARENCY_MASK)
    alpha = plane(ChannelID.TRANSPARENCY_MASK) if transparency is not None and transparency.data else None
    return _assembled([plane(channel) for channel in wanted], alpha, psd.color_mode, icc)


def of_merged_picture(psd: PSDImage, icc: bytes | None) -> DeepPixels:
    """What the file stores beside its layers, white taken out of it again."""
    samples = StoredPicture(psd).read(Box(0, 0, psd.width, psd.height))
    colour = samples[: ColorMode.channels(psd.color_mode)]
    if not has_transparency(psd):
        return _assembled(list(colour), None, psd.color_mode, icc)
    index = get_transparency_index(psd)
    alpha = samples[index if index >= 0 else len(colour)]
    white = np.float32(1 if psd.depth == 32 else 65535)
    cover = np.clip(alpha / white, 0, 1).astype(np.float32)
    straight = [_without_white(plane / white, cover) for plane in colour]
    if psd.depth == 16:
        return _assembled([rounded(plane * white, np.uint16) for plane in straight], alpha, psd.color_mode, icc)
    return _assembled(straight, alpha, psd.color_mode, icc)


def _without_white(plane: Float, cover: Float) -> Float:
    straight = np.divide(plane - (1 - cover), cover, out=plane.copy(), where=cover > 0)
    return np.maximum(straight, 0)


def _assembled(colour: Sequence[Planes], alpha: Planes | None, mode: ColorMode, icc: bytes | None) -> DeepPixels:
    planes = np.stack(colour)
    notes: tuple[str, ...] = ()
    cut = 0.0
    rgb: Pixels
    if planes.dtype == np.float32:
        rgb, cut = from_light(planes, icc)
    else:
        if mode == ColorMode.CMYK:  # PSD counts the ink that is left out
            planes = np.uint16(65535) - planes
        rgb, notes = to_srgb16(cast(RGBA16, planes), MODES[mode], icc)
    if alpha is not None and alpha.dtype == np.float32:
        alpha = cast(RGBA16, rounded(np.nan_to_num(alpha) * np.float32(65535), np.uint16))
    return DeepPixels(rgba_of(rgb, cast("RGBA16 | None", alpha)), notes, cut)


def _native(values: NDArray[np.generic]) -> Planes:
    return cast(Planes, values.astype(values.dtype.newbyteorder("=")))
