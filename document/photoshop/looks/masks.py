"""The masks of a PSD's layers, in and out.

Photoshop draws a vector mask, together with the layer's own mask, into the channel of masks, and then keeps the own one in a
second channel. So the first holds what shows, unless the layer is a shape, whose pixels have been cut out already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from acetate import raster
from acetate.vocabulary.box import Box
from psd_tools.api.layers import FillLayer, ShapeLayer
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import ChannelID, Compression
from psd_tools.psd.layer_and_mask import (
    ChannelData,
    ChannelDataList,
    ChannelInfo,
    LayerRecord,
    MaskData,
    MaskFlags,
    MaskParameters,
)

from ...mask import Mask

_WITHOUT_PARAMETERS = MaskParameters()


def read(layer: PSDLayer) -> Mask | None:
    """What cuts the layer besides its transparency, with values `(H, W)` of any size; `None` where nothing does."""
    data = layer._record.mask_data
    if data is None:
        return None
    shape = isinstance(layer, ShapeLayer | FillLayer)
    if not data.flags.user_mask_from_render or (layer.vector_mask is None and not shape):
        return _own(layer, data)
    if shape or not has_vector_mask(layer):
        return _real(layer, data) if data.real_flags is not None else None
    return _drawn(layer, data)


def notes(layer: PSDLayer, name: str) -> Iterator[str]:
    """What is not drawn as Photoshop draws it, or is another thing now."""
    data = layer._record.mask_data
    parameters = _parameters(data)
    shape = isinstance(layer, ShapeLayer | FillLayer)
    if has_vector_mask(layer):
        if data is not None and data.flags.user_mask_from_render and not shape:
            yield f"the vector mask of {name!r} is now a mask of pixels"
        elif layer.kind == "group":
            yield f"the vector mask of the group {name!r} was left out"
        if shape and parameters.vector_mask_density not in (None, 255):
            yield f"the density of the vector mask of {name!r} was left out"
        if parameters.vector_mask_feather:
            yield f"the feather of the vector mask of {name!r} was left out"
    if parameters.user_mask_feather:
        yield f"the feather of the mask of {name!r} is kept, but not drawn"


def has_vector_mask(layer: PSDLayer) -> bool:
    """Whether a path cuts the layer."""
    return layer.vector_mask is not None and not layer.vector_mask.disabled


def is_drawn(layer: PSDLayer) -> bool:
    """Whether the file holds the layer's vector mask as pixels, too."""
    data = layer._record.mask_data
    return data is not None and data.flags.user_mask_from_render


def attach(mask: Mask, record: LayerRecord, channels: ChannelDataList, depth: int = 8) -> None:
    """Give a new record, and its channels, a mask of its own with values `(H, W)`, in the depth of the file: 8 or 16."""
    box = mask.box
    flags = MaskFlags(not mask.linked, not mask.enabled, mask.inverted)
    record.mask_data = MaskData(box.y, box.x, box.bottom, box.right, mask.outside, flags)
    if mask.density < 1 or mask.feather:
        flags.parameters_applied = True
        record.mask_data.parameters = MaskParameters(round(mask.density * 255), mask.feather or None)
    stored = ChannelData(Compression.RLE)
    if mask.values.size:
        values = mask.values if depth == 8 else mask.values.astype(">u2") * 257
        stored.set_data(values.tobytes(), box.width, box.height, depth)
    channels.append(stored)
    record.channel_info.append(ChannelInfo(ChannelID.USER_LAYER_MASK, len(stored.data) + 2))


def _own(layer: PSDLayer, data: MaskData) -> Mask:
    """The first channel, as the layer's own mask."""
    values = _values(layer, ChannelID.USER_LAYER_MASK)
    return _with_parameters(Mask(values, data.left, data.top, data.background_color), data.flags, _parameters(data))


def _real(layer: PSDLayer, data: MaskData) -> Mask:
    """The second channel: the layer's own mask where the first one holds a drawing."""
    values = _values(layer, ChannelID.REAL_USER_LAYER_MASK)
    mask = Mask(values, data.real_left or 0, data.real_top or 0, data.real_background_color or 0)
    assert data.real_flags is not None
    return _with_parameters(mask, data.real_flags, _parameters(data))


def _drawn(layer: PSDLayer, data: MaskData) -> Mask:
    """The first channel, as what shows: the vector mask, and the layer's own. It holds them at full density."""
    parameters = _parameters(data)
    drawn = Mask(_values(layer, ChannelID.USER_LAYER_MASK), data.left, data.top, data.background_color)
    own = _real(layer, data) if data.real_flags is not None else None
    share = _share(parameters.vector_mask_density)
    if own is None or not own.enabled:
        return replace(drawn, density=share)
    if share == own.density == 1:
        return replace(drawn, feather=own.feather)
    canvas = Box(0, 0, layer._psd.width, layer._psd.height)
    box = canvas if layer.kind == "group" else Box(layer.left, layer.top, layer.width, layer.height)
    together, alone = drawn.coverage(box), replace(own, density=1.0).coverage(box)
    path = np.divide(together, alone, out=np.ones_like(alone), where=alone > 0)
    shown = (1 - np.float32(share) * (1 - path)) * own.coverage(box)
    return Mask(raster.to_u8(shown), box.x, box.y, outside=0, feather=own.feather)


def _with_parameters(mask: Mask, flags: MaskFlags, parameters: MaskParameters) -> Mask:
    return replace(
        mask,
        density=_share(parameters.user_mask_density),
        feather=max(0.0, parameters.user_mask_feather or 0.0),
        inverted=flags.invert_mask,
        linked=not flags.pos_relative_to_layer,
        enabled=not flags.mask_disabled,
    )


def _parameters(data: MaskData | None) -> MaskParameters:
    return _WITHOUT_PARAMETERS if data is None or data.parameters is None else data.parameters


def _share(density: int | None) -> float:
    return 1.0 if density is None else density / 255


def _values(layer: PSDLayer, channel: ChannelID) -> raster.Mask:
    image = layer.topil(channel)
    return np.zeros((0, 0), np.uint8) if image is None else np.asarray(image.convert("L"))
