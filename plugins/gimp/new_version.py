"""A new version of a layer takes over what the artist has done to the old one, and keeps what was not selected to the bit.

Knows layers, masks and their places; does not know jobs, nor how a layer gets into the stack.
"""

from __future__ import annotations

from collections.abc import Sequence

from acetate.protocol import Box
from gi.repository import Gegl, Gimp

from . import canvas, pixels


def restore_unselected(layers: Sequence[Gimp.Layer], original: Gimp.Layer, mask: bytes) -> None:
    """Put back `original`'s own pixels in each of the layers wherever `mask`, over their box, is 0. All have one box."""
    for layer in layers[:1]:
        box = canvas.box_of(layer).relative_to(canvas.box_of(original))
        plain = pixels.appearance(original, box, masked=False)
        try:
            for one in layers:
                pixels.restore_unselected(one, plain, mask)
        finally:
            plain.get_image().delete()


def take_over(top: Gimp.Layer, layers: Sequence[Gimp.Layer], original: Gimp.Layer, *, masks: bool) -> None:
    """Give what was put in, the item `top` with its `layers`, the original's mode, opacity, colour tag and locks.

    With `masks` each of the layers gets a copy of the original's mask, as far as it reaches. All of it belongs to the undo step
    that is open.
    """
    top.set_mode(original.get_mode())
    top.set_blend_space(original.get_blend_space())
    top.set_composite_space(original.get_composite_space())
    top.set_composite_mode(original.get_composite_mode())
    top.set_opacity(original.get_opacity())
    top.set_color_tag(original.get_color_tag())
    if masks and original.get_mask() is not None:
        for layer in layers:
            _copy_mask(layer, original)
    for layer in layers:
        layer.set_lock_alpha(original.get_lock_alpha())
    top.set_lock_position(original.get_lock_position())
    top.set_lock_content(original.get_lock_content())


def _copy_mask(layer: Gimp.Layer, original: Gimp.Layer) -> None:
    """The part of the original's mask that lies over the layer, byte for byte; outside the original everything is shown."""
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    box, whole = canvas.box_of(layer), canvas.box_of(original)
    common = box.intersection(whole)
    if not common.empty:
        source, target = original.get_mask().get_buffer(), mask.get_buffer()
        source.copy(_rectangle(common, whole), Gegl.AbyssPolicy.NONE, target, _rectangle(common, box))
        target.flush()
        mask.update(0, 0, box.width, box.height)
    layer.set_apply_mask(original.get_apply_mask())
    layer.set_show_mask(False)


def clip(layers: Sequence[Gimp.Layer], selection: bytes, box: Box, *, as_mask: bool) -> None:
    """Cut the layers to the shape of the selection, `gray8` over `box`: by a mask of their own, or in their transparency."""
    for layer in layers:
        own = canvas.box_of(layer)
        mask = layer.create_mask(Gimp.AddMaskType.BLACK)
        layer.add_mask(mask)
        place = box.relative_to(own)
        pixels.write(mask, place.x, place.y, box.width, box.height, pixels.MASK, selection)
        if not as_mask:
            layer.remove_mask(Gimp.MaskApplyMode.APPLY)


def _rectangle(box: Box, origin: Box) -> Gegl.Rectangle:
    place = box.relative_to(origin)
    return Gegl.Rectangle.new(place.x, place.y, place.width, place.height)
