"""Adjustment layers of a PSD: which kind a layer is, by the blocks that it has, and its parameters in our terms.

Newer Photoshops write a second block (`CgEd`) beside the old one of nearly every kind: the kind is that of the older block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.color_convert import cmyk_to_rgb, hsb_to_rgb, lab_to_rgb
from psd_tools.constants import ColorMode, Tag
from psd_tools.psd.adjustments import (
    BrightnessContrast,
    ChannelMixer,
    Curves,
    Exposure,
    GradientMap,
    HueSaturation,
    Levels,
    PhotoFilter,
)
from psd_tools.psd.descriptor import Descriptor

from ...adjustments import adjustment
from ...formats.decoding import MALFORMED
from .descriptors import colour_of, number

KINDS: Mapping[Tag, str] = {
    Tag.BLACK_AND_WHITE: "black & white",
    Tag.CHANNEL_MIXER: "channel mixer",
    Tag.COLOR_BALANCE: "color balance",
    Tag.COLOR_LOOKUP: "color lookup",
    Tag.CURVES: "curves",
    Tag.EXPOSURE: "exposure",
    Tag.GRADIENT_MAP: "gradient map",
    Tag.HUE_SATURATION: "hue/saturation",
    Tag.HUE_SATURATION_V4: "hue/saturation",
    Tag.INVERT: "invert",
    Tag.LEVELS: "levels",
    Tag.PHOTO_FILTER: "photo filter",
    Tag.POSTERIZE: "posterize",
    Tag.SELECTIVE_COLOR: "selective color",
    Tag.THRESHOLD: "threshold",
    Tag.VIBRANCE: "vibrance",
    Tag.BRIGHTNESS_AND_CONTRAST: "brightness/contrast",
    Tag.CONTENT_GENERATOR_EXTRA_DATA: "brightness/contrast",
}
"""By Photoshop's name in its menu. The block of brightness/contrast comes last: others may have its newer one, too."""

DOT_GAIN = 1.75
"""The power that comes nearest to Photoshop's usual gray."""
D50 = np.array([0.9642, 1.0, 0.8249])
"""The white to which the XYZ of a photo filter refers."""


def kind_of(layer: PSDLayer) -> str | None:
    """The kind of adjustment layer, or `None` for what is none."""
    return next((kind for tag, kind in KINDS.items() if tag in layer.tagged_blocks), None)


def stored(layer: PSDLayer) -> tuple[tuple[bytes, bytes], ...]:
    """The blocks that make the layer an adjustment, as the file has them: keys and contents."""
    return tuple((tag.value, layer.tagged_blocks[tag].data.tobytes()) for tag in KINDS if tag in layer.tagged_blocks)


def parameters_of(layer: PSDLayer, mode: ColorMode) -> Mapping[str, Any] | None:
    """The arguments of the function of that kind in `acetate.document.adjustments`; `None` where we cannot draw it.

    In CMYK and Lab the numbers are for inks and lightness, which our pixels no longer have.
    """
    found = next((one for one in PARAMETERS.items() if one[0] in layer.tagged_blocks), None)
    if found is None or mode not in (ColorMode.RGB, ColorMode.GRAYSCALE):
        return None
    tag, read = found
    try:
        parameters = read(layer.tagged_blocks.get_data(tag))
    except MALFORMED:
        return None
    if parameters is None or mode == ColorMode.RGB:
        return parameters
    if "channels" in parameters:  # the first is for all colours together, which gray has not
        return {"channels": parameters["channels"][1:2]}
    return {**parameters, "power": DOT_GAIN} if tag == Tag.EXPOSURE else parameters


def in_rgb(kind: str, settings: Mapping[str, Any], grays: NDArray[np.uint8]) -> Mapping[str, Any]:
    """The curve for all channels that does in sRGB what an adjustment does to gray; `grays`, `(256,)`, are sRGB values."""
    before = np.linspace(0, 1, 256, dtype=np.float32)
    after = adjustment(kind, settings)(np.broadcast_to(before, (3, 1, 256)))[0, 0] * 255
    shown = np.interp(after, np.arange(256), grays)
    values, first = np.unique(grays, return_index=True)
    at = np.interp(np.arange(256), values, shown[first])
    return {"channels": [[[place, float(value)] for place, value in enumerate(at)]]}


def _invert(data: object) -> Mapping[str, Any]:
    return {}


def _levels(data: Levels) -> Mapping[str, Any]:
    records: list[Any] = [*data][:4]
    return {
        "channels": [
            [one.input_floor, one.input_ceiling, one.gamma / 100, one.output_floor, one.output_ceiling] for one in records
        ]
    }


def _curves(data: Curves) -> Mapping[str, Any]:
    """The newer list at the end of the block says which channel each curve is for; the older goes by set bits."""
    if data.extra is not None:
        extra: Any = data.extra
        found = {item.channel_id: item.points for item in extra}
    else:
        set_bits = [bit for bit in range(32) if data.count_map >> bit & 1]
        ids = set_bits if data.version == 1 else list(range(len(data.data)))
        found = dict(zip(ids, data.data, strict=False))
    return {"channels": [_points(found.get(channel, ())) for channel in range(4)]}


def _points(points: Sequence[Any]) -> list[list[float]]:
    """A curve drawn by hand is a list of 256 values; others are points (out, in)."""
    if points and isinstance(points[0], int):
        return [[place, value] for place, value in enumerate(points)]
    return [[before, after] for after, before in points]


def _exposure(data: Exposure) -> Mapping[str, Any]:
    return {"exposure": data.exposure, "offset": data.offset, "gamma": data.gamma}


def _posterize(data: int) -> Mapping[str, Any]:
    return {"levels": data}


def _threshold(data: int) -> Mapping[str, Any]:
    return {"level": data}


def _old_brightness_contrast(data: BrightnessContrast) -> Mapping[str, Any]:
    return {"brightness": _signed(data.brightness), "contrast": _signed(data.contrast), "legacy": True}


def _brightness_contrast(data: Descriptor) -> Mapping[str, Any] | None:
    if b"Brgh" not in data:
        return None
    legacy = bool(number(data, b"useLegacy", 0))
    return {"brightness": number(data, b"Brgh", 0), "contrast": number(data, b"Cntr", 0), "legacy": legacy}


def _hue_saturation(data: HueSaturation) -> Mapping[str, Any]:
    if data.enable:
        hue, saturation, lightness = data.colorization
        return {"hue": hue, "saturation": saturation, "lightness": lightness, "colorize": True}
    hue, saturation, lightness = data.master
    return {
        "hue": hue,
        "saturation": saturation,
        "lightness": lightness,
        "ranges": [[list(angles), *shift] for angles, shift in data.items],
    }


def _channel_mixer(data: ChannelMixer) -> Mapping[str, Any]:
    """Each row has the sources red, green, blue and, for ink, black, and a constant."""
    values = np.array([*data.data, *np.frombuffer(data.unknown[: len(data.unknown) // 2 * 2], ">i2")])
    rows = values[: len(values) // 5 * 5].reshape(-1, 5)[: 1 if data.monochrome else 3]
    return {"rows": rows[:, [0, 1, 2, 4]].tolist()}


def _black_and_white(data: Descriptor) -> Mapping[str, Any]:
    keys = (b"Rd  ", b"Yllw", b"Grn ", b"Cyn ", b"Bl  ", b"Mgnt")
    weights = [number(data, key, default) for key, default in zip(keys, (40, 60, 40, 60, 20, 80), strict=True)]
    tint = colour_of(data.get(b"tintColor")) if number(data, b"useTint", 0) else None
    return {"weights": weights, "tint": tint}


def _photo_filter(data: PhotoFilter) -> Mapping[str, Any] | None:
    if data.xyz is not None:
        colour = _from_xyz(np.array(data.xyz) / 2**16 / 100)
    elif data.color_components is not None:
        made = _from_components(data.color_space or 0, data.color_components)
        if made is None:
            return None
        colour = made
    return {"colour": colour, "density": data.density or 0, "luminosity": bool(data.luminosity)}


def _gradient_map(data: GradientMap) -> Mapping[str, Any] | None:
    if not data.color_stops or data.mode:
        return None
    stops = [[stop.location / 4096, *(value * 255 / 65535 for value in stop.color[:3])] for stop in data.color_stops]
    if any(stop.mode for stop in data.color_stops):  # other models than RGB
        return None
    if data.is_reversed:
        stops = [[1 - place, *colour] for place, *colour in reversed(stops)]
    return {"stops": stops}


def _signed(value: int) -> int:
    return value - 2**16 if value >= 2**15 else value


def _from_components(space: int, values: Sequence[int]) -> list[float] | None:
    """A colour of Photoshop's colour structure: RGB, HSB, CMYK (white is the greatest) or Lab, as RGB in 0..255."""
    share = [value / 65535 for value in values]
    if space == 0:
        made = tuple(share[:3])
    elif space == 1:
        made = hsb_to_rgb(*share[:3])
    elif space == 2:
        made = cmyk_to_rgb(*(1 - one for one in share))
    elif space == 7:
        made = lab_to_rgb(values[0] / 100, _signed(values[1]) / 100, _signed(values[2]) / 100)
    else:
        return None
    return [float(np.clip(one, 0, 1)) * 255 for one in made]


def _from_xyz(xyz: np.ndarray[Any, Any]) -> list[float]:
    share = xyz / D50
    root = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    lab = 116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])
    return [float(np.clip(one, 0, 1)) * 255 for one in lab_to_rgb(*map(float, lab))]


PARAMETERS: Mapping[Tag, Callable[[Any], Mapping[str, Any] | None]] = {
    Tag.BLACK_AND_WHITE: _black_and_white,
    Tag.CHANNEL_MIXER: _channel_mixer,
    Tag.CURVES: _curves,
    Tag.EXPOSURE: _exposure,
    Tag.GRADIENT_MAP: _gradient_map,
    Tag.HUE_SATURATION: _hue_saturation,
    Tag.HUE_SATURATION_V4: _hue_saturation,
    Tag.INVERT: _invert,
    Tag.LEVELS: _levels,
    Tag.PHOTO_FILTER: _photo_filter,
    Tag.POSTERIZE: _posterize,
    Tag.THRESHOLD: _threshold,
    Tag.CONTENT_GENERATOR_EXTRA_DATA: _brightness_contrast,
    Tag.BRIGHTNESS_AND_CONTRAST: _old_brightness_contrast,
}
"""How each block is read. That of brightness/contrast holds zeros where there is a newer one."""
