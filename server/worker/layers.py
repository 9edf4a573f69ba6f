"""From the engine's pictures to layers of a stack: place, crop, name, group, order. Runs in the worker; knows no socket."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from acetate.engine import RGBA, Picture
from acetate.engine.pixels.alpha import resize_padded
from acetate.protocol import Box, Group, Layer
from acetate.protocol.pixels import content_hash
from acetate.raster import trim
from PIL import Image

from .worker_messages import Made

THUMBNAIL_SIDE = 128
NAME_CHARACTERS = 60
SEED = r" \(\d+\)$"
"""At the end of a layer's name."""
ROLE_ORDER = {"background": 0, "foreground": 1, "blended": 2}
"""Bottom to top within one picture."""
ROLE_NAMES = {"background": "Background", "foreground": "Foreground", "blended": "Blended"}


@dataclass(frozen=True)
class Stack:
    """How a job's pictures are arranged: several roles make a group per picture, several pictures a group of candidates."""

    job: str
    task: str
    prompt: str
    count: int
    roles: int
    """Layers per picture."""
    name: str = ""
    """Of the layer that the result is a larger version of."""

    def layer(self, picture: Picture, index: int, box: Box, crop: Box | None, sha256: str) -> Layer:
        """The `layer` message of a picture that fills `box` and whose alpha lies within `crop`, both on the canvas."""
        name = layer_name(picture, self.prompt_name, original=self.name)
        place = crop or Box(box.x, box.y, 1, 1)
        size = (crop.width, crop.height) if crop else (0, 0)
        first = picture.index == 0
        return Layer(
            job=self.job,
            index=index,
            name=ROLE_NAMES[picture.role] if self.roles > 1 else name,
            role=picture.role,
            x=place.x,
            y=place.y,
            width=size[0],
            height=size[1],
            box=box,
            format="rgba8",
            bytes=size[0] * size[1] * 4,
            sha256=sha256,
            order=picture.index * self.roles + (ROLE_ORDER[picture.role] if self.roles > 1 else 0),
            group=self._groups(picture.index, name),
            visible=not picture.hidden and (first or self.roles > 1),
            reference=picture.hidden,
            picture=picture.index,
            seed=picture.seed,
            parameters=picture.parameters,
            quality=picture.quality,
            warnings=picture.warnings,
        )

    def _groups(self, picture: int, name: str) -> tuple[Group, ...]:
        groups: list[Group] = []
        if self.count > 1:
            groups.append(Group(f"{self.job}-candidates", self.prompt_name))
        if self.roles > 1:
            groups.append(Group(f"{self.job}-{picture}", name, visible=picture == 0))
        return tuple(groups)

    @property
    def prompt_name(self) -> str:
        words = " ".join((re.sub(SEED, "", self.name) or self.prompt).split())
        if len(words) > NAME_CHARACTERS:
            words = words[: NAME_CHARACTERS - 1].rstrip() + "…"
        return words or self.task.capitalize()


def layer_name(picture: Picture, words: str, *, original: str = "") -> str:
    """The words, or the `original` layer's name without its own seed, and the seed; only an enlargement has used none."""
    if picture.parameters.get("upscaling", {}).get("mode") == "enlarge":
        return original or words
    return f"{re.sub(SEED, '', original) or words} ({picture.seed})"


def save(stack: Stack, picture: Picture, index: int, box: Box, incoming: Path, *, crop: bool) -> tuple[Made, bytes]:
    """Write the picture's pixels into the incoming folder; returns the report and its payload, a thumbnail."""
    rgba = picture.rgba
    if rgba.shape[:2] != (box.height, box.width):
        rgba = resize_padded(rgba, box.width, box.height)
    kept = trim(rgba) if crop else (np.ascontiguousarray(rgba), Box(0, 0, box.width, box.height))
    if kept is None:
        return Made(stack.layer(picture, index, box, None, content_hash("rgba8").hexdigest()), ""), b""
    pixels, inside = kept
    name = f"{stack.job}-{index}-{os.getpid()}"
    sha256 = write_pixels(incoming / name, pixels)
    place = inside.translated(box.x, box.y)
    small = thumbnail(pixels)
    made = Made(stack.layer(picture, index, box, place, sha256), name, small.shape[1], small.shape[0])
    return made, small.tobytes()


def write_pixels(path: Path, pixels: RGBA) -> str:
    """Write contiguous `(H, W, 4)` pixels; returns their content id."""
    digest = content_hash("rgba8", pixels.shape[1], pixels.shape[0])
    view = pixels.data.cast("B")
    digest.update(view)
    try:
        with path.open("wb", buffering=0) as file:
            while view:  # an unbuffered write may take less than all, for example just before the disk is full
                view = view[file.write(view) :]
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return digest.hexdigest()


def thumbnail(rgba: RGBA, side: int = THUMBNAIL_SIDE) -> RGBA:
    """At most `side` pixels wide and high, weighted by alpha. Larger pictures are thinned first: it is for an icon."""
    thin = max(1, max(rgba.shape[:2]) // (4 * side))
    small = Image.fromarray(np.ascontiguousarray(rgba[::thin, ::thin]))
    factor = -(-max(small.size) // side)
    if factor > 1:
        small = small.convert("RGBa").reduce(factor).convert("RGBA")  # premultiplied in between
    return np.asarray(small)
