"""Bytes in and out of GIMP's drawables: which babl format, how many rows at a time.

Does not know where a layer goes or what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from acetate.protocol import Box, Image
from gi.repository import Gegl, Gimp

ROWS = 256
"""Rows per call: set() of 4096 x 4096 in one call takes 1.1 s with its flush, in strips of 256 rows 0.11 s (GIMP 3.0.4)."""

BABL = {"rgba8": "R'G'B'A u8", "rgba16": "R'G'B'A u16", "rgbaf32": "RGBA float"}
"""The wire's formats as babl spells them: with primes sRGB-encoded, without them linear light; alpha straight in all three.
The server is told of these. babl converts to the drawable's own precision, grayscale and colour profile."""

MASK = "Y u8"
"""What selections and layer masks hold, linear at every precision: after filling through a feathered selection the layer's
alpha equals these bytes, while "Y' u8" would brighten a mask value of 66 to 139."""


ALPHA = "A u8"


def wire_format(image: Gimp.Image | None) -> str:
    """The wire's format that loses nothing in an image of this precision; 8 bits for an image that has yet to be made."""
    precision = image.get_precision() if image is not None else Gimp.Precision.U8_NON_LINEAR
    if precision in (Gimp.Precision.U8_LINEAR, Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL):
        return "rgba8"
    if precision in (Gimp.Precision.U16_LINEAR, Gimp.Precision.U16_NON_LINEAR, Gimp.Precision.U16_PERCEPTUAL):
        return "rgba16"
    return "rgbaf32"


def read(drawable: Gimp.Drawable, x: int, y: int, width: int, height: int, babl: str) -> bytes:
    """The box in the drawable's own coordinates, rows without padding; 0 outside it."""
    return b"".join(strips(drawable, x, y, width, height, babl))


def strips(drawable: Gimp.Drawable, x: int, y: int, width: int, height: int, babl: str) -> Iterator[bytes]:
    """The same a few rows at a time, so that a window can draw itself in between."""
    return _strips(drawable.get_buffer(), x, y, width, height, babl)


def write(drawable: Gimp.Drawable, x: int, y: int, width: int, height: int, babl: str, data: bytes) -> None:
    """Set the box from rows without padding. Raises `ValueError` for a wrong length, which GEGL would silently ignore."""
    if len(data) % (width * height):
        raise ValueError(f"{len(data)} bytes do not make {width} x {height} pixels")
    buffer = drawable.get_buffer()
    _set(buffer, x, y, width, height, babl, data)
    buffer.flush()
    drawable.update(x, y, width, height)


def in_eight_bits(image: Image) -> bytes:
    """A picture's bytes as `rgba8`, whatever format it came in."""
    if image.format == "rgba8":
        return bytes(image.data)
    whole, babl = (0, 0, image.width, image.height), BABL[image.format]
    buffer = Gegl.Buffer.new(babl, *whole)
    _set(buffer, *whole, babl, bytes(image.data))
    return b"".join(_strips(buffer, *whole, BABL["rgba8"]))


def _strips(buffer: Gegl.Buffer, x: int, y: int, width: int, height: int, babl: str) -> Iterator[bytes]:
    for top in range(y, y + height, ROWS):
        strip = Gegl.Rectangle.new(x, top, width, min(ROWS, y + height - top))
        yield bytes(buffer.get(strip, 1.0, babl, Gegl.AbyssPolicy.NONE))


def _set(buffer: Gegl.Buffer, x: int, y: int, width: int, height: int, babl: str, data: bytes) -> None:
    stride, view = len(data) // height, memoryview(data)
    for top in range(0, height, ROWS):
        rows = min(ROWS, height - top)
        strip = bytes(view[top * stride : (top + rows) * stride])
        buffer.set(Gegl.Rectangle.new(x, y + top, width, rows), babl, strip)


def restore_unselected(layer: Gimp.Layer, original: Gimp.Layer, mask: bytes) -> None:
    """Put back `original`'s own pixels wherever `mask` is 0. All three have the same size, both layers the same format.

    GEGL copies between buffers of one format bit for bit, at any precision and in any colour space, which passing through
    Python's bytes would not: `set` knows formats by name, and names do not say the space.
    """
    width, height = layer.get_width(), layer.get_height()
    source, target = original.get_buffer(), layer.get_buffer()
    for top, rows, runs in _unselected(mask, width, height):
        for left, length in runs:
            box = Gegl.Rectangle.new(left, top, length, rows)
            source.copy(box, Gegl.AbyssPolicy.NONE, target, box)
    target.flush()
    layer.update(0, 0, width, height)


def _unselected(mask: bytes, width: int, height: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """The parts where the mask is 0: first row, number of equal rows, and in each the runs as start and length."""
    first, before = 0, None
    for y in range(height):
        runs = [(run.start(), run.end() - run.start()) for run in re.finditer(rb"\0+", mask[y * width : (y + 1) * width])]
        if runs != before:
            if before:
                yield first, y - first, before
            first, before = y, runs
    if before:
        yield first, height - first, before


def appearance(layer: Gimp.Layer, box: Box, *, masked: bool = True) -> Gimp.Layer:
    """A part of the layer as it looks by itself: filters and group merged into pixels, with alpha, and its mask where `masked`.

    `box` is in the layer's own coordinates and becomes the size of the copy. Delete its image after use: the copy lives in a
    hidden image of one pixel, so neither the artist's image nor its undo history is touched.
    """
    hidden = hidden_image(layer.get_image())
    copy: Any = Gimp.Layer.new_from_drawable(layer, hidden)  # shares its pixels until one of both changes
    hidden.insert_layer(copy, None, 0)
    if copy.is_group():
        copy = copy.merge()
    if not copy.get_filters():  # what a filter makes of a pixel depends on those around it
        _crop(copy, box)
    copy.add_alpha()
    copy.merge_filters()
    _crop(copy, box)
    if copy.get_mask() is not None:
        applied = masked and copy.get_apply_mask()
        copy.remove_mask(Gimp.MaskApplyMode.APPLY if applied else Gimp.MaskApplyMode.DISCARD)
    return copy


def hidden_image(like: Gimp.Image) -> Gimp.Image:
    """An image of one pixel with the precision and the profile of `like`. Delete it after use."""
    gray = like.get_base_type() == Gimp.ImageBaseType.GRAY
    base = Gimp.ImageBaseType.GRAY if gray else Gimp.ImageBaseType.RGB  # a palette would have to be carried over
    hidden = Gimp.Image.new_with_precision(1, 1, base, like.get_precision())
    if (profile := like.get_color_profile()) is not None:
        hidden.set_color_profile(profile)
    return hidden


def take_for_srgb(image: Gimp.Image) -> None:
    """Let the numbers in the image's layers mean sRGB colours, without changing one."""
    gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
    image.set_color_profile(Gimp.ColorProfile.new_d65_gray_srgb_trc() if gray else Gimp.ColorProfile.new_rgb_srgb())


def _crop(copy: Gimp.Layer, box: Box) -> None:
    """Bring a copy to the box, once: afterwards it has its size."""
    if (copy.get_width(), copy.get_height()) != (box.width, box.height):
        copy.resize(box.width, box.height, -box.x, -box.y)


def opaque(layer: Gimp.Layer, box: Box) -> bool:
    """Whether nothing shows through the layer's own pixels in the box, which is in the layer's own coordinates."""
    if not layer.has_alpha():
        return True
    return all(strip.count(255) == len(strip) for strip in strips(layer, box.x, box.y, box.width, box.height, ALPHA))
