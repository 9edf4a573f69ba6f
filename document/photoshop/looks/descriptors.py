"""Photoshop's descriptors: trees of named values. Numbers, names, colours and gradients out of them, in our terms.

Values are the file's and may be anything: what is missing or of another type is the default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.color_convert import cmyk_to_rgb, gray_to_rgb, hsb_to_rgb, lab_to_rgb
from psd_tools.constants import BlendMode, Tag
from psd_tools.psd.descriptor import Descriptor

COLOURS = {
    b"RGBC": (b"Rd  ", b"Grn ", b"Bl  "),
    b"HSBC": (b"H   ", b"Strt", b"Brgh"),
    b"CMYC": (b"Cyn ", b"Mgnt", b"Ylw ", b"Blck"),
    b"LbCl": (b"Lmnc", b"A   ", b"B   "),
    b"Grsc": (b"Gry ",),
}
"""The components of each colour class."""


def blend_name(mode: BlendMode) -> str:
    """Our name of a mode: psd-tools, like us, follows Photoshop's menu."""
    return mode.name.lower().replace("_", "-")


def number(data: Descriptor, key: bytes, default: float) -> float:
    """A number, or a truth as 0 or 1, whatever its unit."""
    value = getattr(data.get(key), "value", data.get(key))
    usable = isinstance(value, int | float | np.number) and math.isfinite(value)
    return float(value) if usable else default


def number_of(layer: PSDLayer, tag: Tag, default: int) -> int:
    """The number, or truth, that is all of a layer's block."""
    value = layer.tagged_blocks.get_data(tag)
    value = getattr(value, "value", value)
    return value if isinstance(value, int) else default


def word(data: Descriptor, key: bytes) -> bytes:
    """The code of an enumerated value, empty where there is none."""
    code = getattr(data.get(key), "enum", b"")
    return code if isinstance(code, bytes) else bytes(getattr(code, "value", b""))


def child(data: Descriptor, key: bytes) -> Descriptor | None:
    """The descriptor that lies in another one under a key; `None` where there is none."""
    found = data.get(key)
    return found if isinstance(found, Descriptor) else None


def colour_of(data: object) -> list[float] | None:
    """RGB in 0..255 of a colour in whatever model, in sRGB; `None` for one that we do not know, such as of a book."""
    if not isinstance(data, Descriptor):
        return None
    keys = COLOURS.get(bytes(getattr(data.classID, "value", data.classID)))
    if keys is None or any(key not in data for key in keys):
        return None
    values = [number(data, key, 0) for key in keys]
    share = [value / 100 for value in values]
    if keys[0] == b"Rd  ":
        made: Sequence[float] = [value / 255 for value in values]
    elif keys[0] == b"H   ":
        made = hsb_to_rgb(values[0] / 360, share[1], share[2])
    elif keys[0] == b"Cyn ":
        made = cmyk_to_rgb(*share)
    elif keys[0] == b"Lmnc":
        made = lab_to_rgb(*values)
    else:
        made = gray_to_rgb(1 - share[0])
    return [min(max(one, 0.0), 1.0) * 255 for one in made]


def point(data: Descriptor, key: bytes) -> tuple[float, float]:
    """Two numbers, across and down."""
    found = child(data, key)
    return (0.0, 0.0) if found is None else (number(found, b"Hrzn", 0), number(found, b"Vrtc", 0))


def stops_of(gradient: Descriptor, key: bytes, value: Any) -> list[tuple[float, float, Any]] | None:
    """(place in [0, 1], midpoint in [0, 1] towards the one before, value) of each stop, in order; `None` where one is unknown."""
    found = []
    for stop in gradient.get(key) or ():
        made = value(stop)
        if made is None:
            return None
        found.append((number(stop, b"Lctn", 0) / 4096, number(stop, b"Mdpn", 50) / 100, made))
    return sorted(found, key=lambda one: one[0]) or None
