"""The training set, rendered on the spot: pictures once, captions anew at every draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...request import RGBA
from . import captions, noto, procedural, scenery
from .subjects import HUES, RECOLOURED, SUBJECTS

NATIVE = 128
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


def render(size: int = NATIVE, seed: int = 0, placements: int = 24) -> tuple[list[Item], NDArray[np.uint8]]:
    """Every item and its picture, `(N, size, size, 4)` uint8 straight."""
    rng = np.random.default_rng(seed)
    items: list[Item] = []
    pictures: list[RGBA] = []

    def add(item: Item, picture: RGBA) -> None:
        items.append(item)
        pictures.append(picture)

    for subject in SUBJECTS:
        for _ in range(placements):
            add(Item("subject", subject), noto.place(noto.artwork(subject), size, rng))
        if subject in RECOLOURED:
            for colour in HUES:
                for _ in range(placements // 3):
                    cutout = noto.recoloured(noto.artwork(subject), colour)
                    add(Item("recoloured", subject, colour), noto.place(cutout, size, rng))
    for shape in procedural.SHAPES:
        for material in procedural.MATERIALS:
            for colour in HUES:
                for _ in range(max(1, placements // 8)):
                    add(Item("solid", shape, colour, material), procedural.solid(shape, colour, material, size, rng))
    for name in procedural.EFFECTS:
        for tint in TINTS.get(name, (*HUES,)):
            for _ in range(max(1, placements // 4)):
                colour = tint if tint is not None else "grey"
                add(Item("effect", name, tint), procedural.effect(name, colour, size, rng))
    for name in scenery.SCENERY:
        for _ in range(2 * placements):
            add(Item("background", name), scenery.background(name, size, rng))
    for subject in SUBJECTS:
        for name in rng.choice(list(scenery.SCENERY), max(1, placements // 3), replace=False).tolist():
            front = noto.place(noto.artwork(subject), size, rng)
            add(Item("scene", subject, place=name), scenery.in_front(front, scenery.background(name, size, rng)))
    return items, np.stack(pictures)


def weights(items: list[Item]) -> NDArray[np.float64]:
    """Probability of each item so that the kinds are drawn by `SHARES`."""
    kinds = np.array([item.kind for item in items])
    chance: NDArray[np.float64] = np.zeros(len(items))
    for kind, share in SHARES.items():
        chance[kinds == kind] = share / max(1, (kinds == kind).sum())
    chance /= chance.sum()
    return chance
