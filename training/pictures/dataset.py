"""The training set, rendered on the spot: pictures once, a new caption at every draw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from acetate.engine.families import SKETCHPAD
from acetate.engine.pixels.alpha import pad_rgb
from acetate.raster import RGBA
from numpy.typing import NDArray

from . import captions, noto, procedural, scenery
from .subjects import HUES, RECOLOURED, SUBJECTS

NATIVE = SKETCHPAD.native
"""Side of a training picture in pixels."""

SHARES = {"subject": 0.54, "recoloured": 0.14, "solid": 0.12, "effect": 0.07, "background": 0.05, "scene": 0.08}
"""How often each kind is drawn."""


TINTS: dict[str, tuple[str | None, ...]] = {"shadow": (None,) * 7, "smoke": (*HUES, "grey", None)}
"""Colours of an effect where they are not simply all: a shadow is never said to have one."""


@dataclass(frozen=True)
class Item:
    """What a picture shows; enough to caption it."""

    kind: str
    name: str
    colour: str | None = None
    material: str = ""
    place: str = ""

    def caption(self, rng: np.random.Generator) -> str:
        """A new caption for this picture."""
        if self.kind == "solid":
            assert self.colour is not None
            return captions.of_solid(self.name, self.colour, self.material, rng)
        if self.kind == "effect":
            return captions.of_effect(self.name, self.colour, rng)
        if self.kind == "background":
            return captions.of_background(self.name, rng)
        if self.kind == "scene":
            return captions.of_scene(self.name, self.place, rng)
        return captions.of_subject(self.name, self.colour, rng)


def items(placements: int = 24, seed: int = 0) -> list[Item]:
    """What the training set shows, one entry a picture."""
    rng = np.random.default_rng(seed)
    result: list[Item] = []
    for subject in SUBJECTS:
        result += [Item("subject", subject)] * placements
        if subject in RECOLOURED:
            result += [Item("recoloured", subject, colour) for colour in HUES for _ in range(placements // 3)]
    for shape, material, colour in product(procedural.SHAPES, procedural.MATERIALS, HUES):
        result += [Item("solid", shape, colour, material)] * max(1, placements // 8)
    for name in procedural.EFFECTS:
        for tint in TINTS.get(name, (*HUES,)):
            result += [Item("effect", name, tint)] * max(1, placements // 4)
    for name in scenery.SCENERY:
        result += [Item("background", name)] * (2 * placements)
    for subject in SUBJECTS:
        places = rng.choice(list(scenery.SCENERY), min(len(scenery.SCENERY), max(1, placements // 3)), replace=False)
        result += [Item("scene", subject, place=place) for place in places.tolist()]
    return result


def draw(item: Item, size: int, rng: np.random.Generator) -> RGBA:
    """One picture of an item, `(size, size, 4)` straight."""
    if item.kind == "solid":
        assert item.colour is not None
        return procedural.solid(item.name, item.colour, item.material, size, rng)
    if item.kind == "effect":
        return procedural.effect(item.name, item.colour or "grey", size, rng)
    if item.kind == "background":
        return scenery.background(item.name, size, rng)
    if item.kind == "scene":
        return scene(item.name, item.place, size, rng)[2]
    artwork = noto.artwork(item.name)
    return noto.place(artwork if item.colour is None else noto.recoloured(artwork, item.colour), size, rng)


def scenes() -> list[tuple[str, str]]:
    """Every subject before every background, once."""
    return list(product(SUBJECTS, scenery.SCENERY))


def scene(subject: str, place: str, size: int, rng: np.random.Generator) -> tuple[RGBA, RGBA, RGBA]:
    """A subject, a background, and the one in front of the other, each `(size, size, 4)` straight."""
    front = noto.place(noto.artwork(subject), size, rng)
    back = scenery.background(place, size, rng)
    return front, back, scenery.in_front(front, back)


def render(size: int = NATIVE, seed: int = 0, placements: int = 24) -> tuple[list[Item], NDArray[np.uint8]]:
    """Every item and its picture, `(N, size, size, 4)` uint8 straight."""
    rng, shown = np.random.default_rng(seed), items(placements, seed)
    return shown, np.stack([draw(item, size, rng) for item in shown])


def network_form(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Straight RGBA `(N, H, W, 4)` -> `(N, 4, H, W)` uint8, alpha first, colour padded."""
    result = np.empty((len(pictures), 4, *pictures.shape[1:3]), np.uint8)
    for i, rgba in enumerate(pictures):
        result[i, 0] = rgba[..., 3]
        result[i, 1:] = (pad_rgb(rgba) * 255 + 0.5).astype(np.uint8).transpose(2, 0, 1)
    return result


def weights(shown: list[Item]) -> NDArray[np.float64]:
    """The probability of each item, `(N,)`, so that the kinds are drawn by `SHARES`."""
    kinds = np.array([item.kind for item in shown])
    chance: NDArray[np.float64] = np.zeros(len(shown))
    for kind, share in SHARES.items():
        chance[kinds == kind] = share / max(1, (kinds == kind).sum())
    chance /= chance.sum()
    return chance
