"""The pictures of a training, drawn by many processes at once, in the form that the networks take.

Knows no torch: a process is forked before any is loaded, and pictures are drawn while it is.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.pool import AsyncResult, Pool, ThreadPool

import numpy as np
from acetate.engine.pixels.alpha import over_grey
from acetate.raster import to_float, to_u8
from numpy.typing import NDArray

from . import dataset
from .dataset import NATIVE, Item

Bytes = NDArray[np.uint8]
PATIENCE = 300.0
"""Seconds after which the processes are given up."""


@dataclass(frozen=True)
class Drawn:
    """Pictures, and scenes with the layers that make them up; `N` of the one and `S` of the other."""

    items: list[Item]
    pictures: Bytes
    """`(N, 4, H, W)`, alpha first, colour padded."""
    names: list[tuple[str, str]]
    """Subject and place of each scene."""
    layers: Bytes
    """`(S, 3, 4, H, W)`: foreground, background, blended."""
    over_grey: Bytes
    """`(S, 2, 3, H, W)`: foreground and background as control images are given."""


@dataclass(frozen=True)
class Drawing:
    """Pictures that are being drawn."""

    items: list[Item]
    names: list[tuple[str, str]]
    pictures: AsyncResult[list[Bytes]]
    scenes: AsyncResult[list[tuple[Bytes, Bytes]]]

    def get(self) -> Drawn:
        """Wait for all of it."""
        pictures, scenes = np.stack(self.pictures.get(PATIENCE)), self.scenes.get(PATIENCE)
        return Drawn(self.items, pictures, self.names, np.stack([s[0] for s in scenes]), np.stack([s[1] for s in scenes]))


@contextmanager
def workers(count: int) -> Iterator[Pool]:
    """Processes that are forked from this one, or a thread where one is enough."""
    with multiprocessing.get_context("fork").Pool(count) if count > 1 else ThreadPool(1) as pool:
        yield pool


def start(pool: Pool, items: list[Item], names: list[tuple[str, str]], seed: int = 0) -> Drawing:
    """Begin to draw; every picture has a generator of its own, so that their number and order do not matter."""
    pictures = pool.starmap_async(_picture, [(item, (seed, 0, i)) for i, item in enumerate(items)], chunksize=16)
    scenes = pool.starmap_async(_scene, [(*name, (seed, 1, i)) for i, name in enumerate(names)], chunksize=8)
    return Drawing(items, names, pictures, scenes)


def _picture(item: Item, seed: tuple[int, ...]) -> Bytes:
    picture: Bytes = dataset.network_form(dataset.draw(item, NATIVE, np.random.default_rng(seed))[None])[0]
    return picture


def _scene(subject: str, place: str, seed: tuple[int, ...]) -> tuple[Bytes, Bytes]:
    layers = np.stack(dataset.scene(subject, place, NATIVE, np.random.default_rng(seed)))
    grey = np.stack([to_u8(over_grey(to_float(layer))).transpose(2, 0, 1) for layer in layers[:2]])
    return dataset.network_form(layers), grey
