"""A layer with effects as plain layers that look like it: what lies under it, and the layer with what lies over its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from acetate.raster import Float, Pixels, scale_of, trim
from acetate.raster.arrays import rounded
from acetate.vocabulary.box import Box

from ..composition.blending import BLENDS
from ..layer import Layer
from .silhouettes import MAX_REACH, distance, grown, shifted, softened
from .style import BELOW, INTERIOR, OVER, Effect, Style


def drawn(layer: Layer, style: Style) -> tuple[Layer, ...]:
    """Bottom to top, the last of them in the layer's place with its mode and what is clipped to it. Masks must be worked in."""
    if layer.box.empty or not style.effects:
        return (replace(layer, opacity=layer.opacity * style.fill, style=None),)
    alpha = _alpha(layer, layer.box)
    below = tuple(_under(layer, effect, style) for effect in _sorted(style, BELOW))
    outlines = tuple(_outline(layer, effect, style) for effect in style.effects if _width_outside(effect) > 0)
    colour = np.moveaxis(layer.rgba[..., :3], -1, 0).astype(np.float32) / _full(layer.rgba)
    cover = np.ones_like(alpha)
    if not style.fades_interior:
        colour, cover = colour * np.float32(style.fill), cover * np.float32(style.fill)
    for effect in _sorted(style, INTERIOR):
        colour, cover = _laid_over(layer, effect, alpha, colour, cover)
    if style.fades_interior:
        colour, cover = colour * np.float32(style.fill), cover * np.float32(style.fill)
    strokes = (one for one in style.effects if one.kind == "stroke" and one.position != "outside")
    for effect in (*_sorted(style, OVER[len(INTERIOR) :]), *strokes):
        colour, cover = _laid_over(layer, effect, alpha, colour, cover)
    straight = np.where(
        alpha > 0, colour / np.maximum(cover, np.float32(1e-6)), np.moveaxis(layer.rgba[..., :3], -1, 0) / _full(layer.rgba)
    )
    pixels = np.concatenate([np.moveaxis(straight, 0, -1), (alpha * cover)[..., None]], axis=-1).astype(np.float32)
    return (*below, *outlines, replace(layer, rgba=_as(layer.rgba, pixels), style=None))


def margin(style: Style) -> int:
    """How many pixels the effects reach beyond the layer at most."""
    return max((_reach(effect) + max(map(abs, _thrown(effect))) for effect in style.effects), default=0)


def _reach(effect: Effect) -> int:
    """How far an effect grows."""
    return int(np.ceil(min(effect.size, MAX_REACH) * 1.5)) + 2


def _sorted(style: Style, kinds: tuple[str, ...]) -> Iterator[Effect]:
    for kind in kinds:
        yield from (effect for effect in style.effects if effect.kind == kind)


def _under(layer: Layer, effect: Effect, style: Style) -> Layer:
    """A drop shadow or an outer glow."""
    size = min(effect.size, MAX_REACH)
    box = layer.box.grown(_reach(effect))
    solid = size * min(max(effect.spread, 0), 1)
    cast = softened(grown(_alpha(layer, box), solid), size - solid)
    cast = np.minimum(cast / np.float32(max(effect.range, 0.01)), 1)
    box = box.translated(*_thrown(effect))
    return _painted(layer, effect, box, _concealed(layer, box, cast, style) if effect.concealed else cast)


def _concealed(layer: Layer, box: Box, cover: Float, style: Style) -> Float:
    """What is under the layer, cut out where it would shine through: the layer over it hides no more than `fill` of it."""
    if style.fill == 1:
        return cover
    alpha = _alpha(layer, box)
    cut: Float = cover * (1 - alpha) / np.maximum(1 - alpha * np.float32(style.fill), np.float32(1e-6))
    return cut


def _outline(layer: Layer, effect: Effect, style: Style) -> Layer:
    """The part of a stroke that lies outside, under the layer's soft edge."""
    width = _width_outside(effect)
    box = layer.box.grown(_reach(effect))
    away = distance(_alpha(layer, box), width)
    return _painted(layer, effect, box, _concealed(layer, box, np.clip(np.float32(width + 0.5) - away, 0, 1), style))


def _width_outside(effect: Effect) -> float:
    share = {"outside": 1.0, "center": 0.5, "inside": 0.0}[effect.position]
    return min(effect.size, MAX_REACH) * share if effect.kind == "stroke" else 0.0


def _painted(layer: Layer, effect: Effect, box: Box, cover: Float) -> Layer:
    area = effect.area or _shown(layer).grown(int(np.ceil(_width_outside(effect))))
    colour, alpha = effect.paint.draw(box, area)
    pixels = np.concatenate([np.moveaxis(colour, 0, -1), (cover * alpha)[..., None]], axis=-1).astype(np.float32)
    opacity = layer.opacity * effect.opacity
    name = f"{layer.name}: {effect.kind}"
    made = Layer(_as(layer.rgba, pixels), box.x, box.y, name, opacity=opacity, blend_mode=effect.blend_mode)
    return replace(made, visible=layer.visible, clipped=layer.clipped)


def _laid_over(layer: Layer, effect: Effect, alpha: Float, colour: Float, cover: Float) -> tuple[Float, Float]:
    """Colour, premultiplied by `cover`, and cover within the layer's alpha, with an effect over them."""
    paint, thickness = effect.paint.draw(layer.box, effect.area or _shown(layer))
    share = _share_within(layer, effect, alpha) * thickness * np.float32(effect.opacity)
    mix = BLENDS.get(effect.blend_mode)
    if mix is not None:
        below = np.asarray(np.clip(colour / np.maximum(cover, np.float32(1e-6)), 0, 1), np.float32)
        mixed: Float = mix(below, np.ascontiguousarray(paint, np.float32))
        paint = np.asarray((1 - cover) * paint + cover * mixed, np.float32)
    return colour * (1 - share) + paint * share, cover * (1 - share) + share


def _share_within(layer: Layer, effect: Effect, alpha: Float) -> Float:
    """How much of each pixel inside the layer an effect covers, `(H, W)` in [0, 1]."""
    if effect.kind.endswith("overlay"):
        return np.ones_like(alpha)
    size = min(effect.size, MAX_REACH)
    right, down = _thrown(effect)
    box = layer.box.grown(_reach(effect))
    outside = 1 - _alpha(layer, box)
    if effect.kind == "stroke":
        width = size * (0.5 if effect.position == "center" else 1.0)
        share = np.clip(np.float32(width + 0.5) - distance(outside, width), 0, 1)
        share = np.where(outside > 0, np.maximum(share, 1), share)  # the layer's own soft edge cuts it
    else:
        solid = size * min(max(effect.spread, 0), 1)
        share = shifted(softened(grown(outside, solid), size - solid), right, down, 1.0)
        if effect.from_center:
            share = 1 - share
        share = np.minimum(share / np.float32(max(effect.range, 0.01)), 1)
    inside: Float = share[layer.box.relative_to(box).slices]
    return inside


def _shown(layer: Layer) -> Box:
    """Where the layer is not transparent: what a gradient spans."""
    found = trim(layer.rgba)
    return layer.box if found is None else found[1].translated(layer.x, layer.y)


def _thrown(effect: Effect) -> tuple[int, int]:
    """How far right and down a shadow lies: away from the light."""
    turn = np.radians(effect.angle)
    return round(-effect.distance * float(np.cos(turn))), round(effect.distance * float(np.sin(turn)))


def _alpha(layer: Layer, box: Box) -> Float:
    """The layer's alpha in a box around or within it."""
    alpha = np.zeros((box.height, box.width), np.float32)
    both = layer.box.intersection(box)
    if not both.empty:
        inside = layer.rgba[both.relative_to(layer.box).slices]
        alpha[both.relative_to(box).slices] = inside[..., 3] / _full(layer.rgba)
    return alpha


def _full(pixels: Pixels) -> np.float32:
    return np.float32(scale_of(pixels))


def _as(pixels: Pixels, values: Float) -> Pixels:
    """Values in [0, 1] in the depth of the pixels."""
    return rounded(np.clip(values, 0, 1) * _full(pixels), pixels.dtype)
