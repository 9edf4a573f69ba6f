"""The pixels of the most common file, 8 bits per channel in sRGB, as they stand in it: nothing has to be converted.

psd-tools would make a picture of each channel and then one of them all, which takes most of the time and twice the memory.
"""

from __future__ import annotations

import numpy as np
from acetate.raster import RGBA
from acetate.vocabulary.box import Box
from psd_tools import PSDImage
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.api.utils import has_transparency
from psd_tools.constants import ChannelID, ColorMode, Resource

from ..composition.colour import is_srgb, open_profile
from .merged_picture import StoredPicture

COLOURS = (ChannelID.CHANNEL_0, ChannelID.CHANNEL_1, ChannelID.CHANNEL_2)
ROWS = 256
"""Rows that are worked on at a time."""


def is_plain(psd: PSDImage) -> bool:
    """Whether the numbers of the file are those of a layer."""
    icc = psd.image_resources.get_data(Resource.ICC_PROFILE)
    return (
        psd.depth == 8 and psd.color_mode == ColorMode.RGB and (not icc or open_profile(icc, "RGB") is not None and is_srgb(icc))
    )


def of_layer(layer: PSDLayer) -> RGBA | None:
    """`(H, W, 4)` straight; `None` where a channel of colour is missing."""
    psd = layer._psd
    stored = {info.id: data for info, data in zip(layer._record.channel_info, layer._channels, strict=False) if data.data}
    if any(channel not in stored for channel in COLOURS):
        return None
    rgba = np.empty((layer.height, layer.width, 4), np.uint8)
    for place, channel in enumerate((*COLOURS, ChannelID.TRANSPARENCY_MASK)):
        if channel not in stored:
            rgba[..., place] = 255
            continue
        data = stored[channel].get_data(layer.width, layer.height, psd.depth, psd.version)
        rgba[..., place] = np.frombuffer(data, np.uint8).reshape(layer.height, layer.width)
    return rgba


def forget(layer: PSDLayer) -> None:
    """Give the memory of the stored colours and alpha back, of a file that is only read."""
    for info, data in zip(layer._record.channel_info, layer._channels, strict=False):
        if info.id in (*COLOURS, ChannelID.TRANSPARENCY_MASK):
            data.data = b""


def of_merged_picture(psd: PSDImage) -> RGBA:
    """`(H, W, 4)` straight: white is taken out of it again, and fractions are cut off, as other readers do."""
    rgba = np.empty((psd.height, psd.width, 4), np.uint8)
    picture, with_alpha = StoredPicture(psd), has_transparency(psd)
    for top in range(0, psd.height, ROWS):
        height = min(ROWS, psd.height - top)
        samples = picture.read(Box(0, top, psd.width, height))
        band = rgba[top : top + height]
        band[..., :3] = np.moveaxis(samples[:3], 0, -1)
        band[..., 3] = samples[3] if with_alpha else 255
        if with_alpha and (samples[3] < 255).any():
            alpha = samples[3].astype(np.int32)[..., None]
            straight = (band[..., :3].astype(np.int32) - (255 - alpha)) * 255 // np.maximum(alpha, 1)
            band[..., :3] = np.where(alpha > 0, np.clip(straight, 0, 255), band[..., :3])
    return rgba
