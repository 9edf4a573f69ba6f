"""From the engine's pictures to layers of a stack: place, crop, message. Runs in the worker; knows no socket."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from acetate.engine import RGBA, Picture
from acetate.engine.pixels.alpha import resize_padded
from acetate.protocol import BYTES_PER_PIXEL, Box, Layer
from acetate.protocol.pixels import content_hash
from acetate.raster import Deep, bounds, resize_deep
from acetate.vocabulary.names import clean
from acetate.vocabulary.stacking import Stacking, StackPosition
from PIL import Image

from .pixels import format_of
from .worker_messages import Made

THUMBNAIL_SIDE = 128


def position(stacking: Stacking, picture: Picture) -> StackPosition:
    """Where a picture goes in the stack of its job. Only an enlargement has used no seed."""
    seed = None if picture.parameters.get("upscaling", {}).get("mode") == "enlarge" else picture.seed
    return stacking.position(picture.role, picture.index, seed, reference=picture.hidden)


def layer_message(
    stacking: Stacking, picture: Picture, index: int, box: Box, crop: Box | None, sha256: str, format: str = "rgba8"
) -> Layer:
    """The `layer` message of a picture that fills `box` and whose alpha lies within `crop`, both on the canvas.

    Its names are clean, whatever the prompt or the original's name holds.
    """
    placed = position(stacking, picture)
    place = crop or Box(box.x, box.y, 1, 1)
    width, height = (crop.width, crop.height) if crop else (0, 0)
    return Layer(
        job=stacking.job,
        index=index,
        name=clean(placed.name),
        role=picture.role,
        x=place.x,
        y=place.y,
        width=width,
        height=height,
        box=box,
        format=format,
        bytes=width * height * BYTES_PER_PIXEL[format],
        sha256=sha256,
        order=placed.order,
        group=tuple(replace(group, name=clean(group.name)) for group in placed.groups),
        visible=placed.visible,
        reference=picture.hidden,
        picture=picture.index,
        seed=picture.seed,
        parameters=picture.parameters,
        quality=picture.quality,
        warnings=picture.warnings,
        drawn=picture.drawn,
    )


def save(stacking: Stacking, picture: Picture, index: int, box: Box, incoming: Path, *, crop: bool) -> tuple[Made, bytes]:
    """Write the picture's pixels into the incoming folder; returns the report and its payload, a thumbnail."""
    rgba, deep = picture.rgba, picture.deep
    if rgba.shape[:2] != (box.height, box.width):
        rgba = resize_padded(rgba, box.width, box.height)
        deep = None if deep is None else resize_deep(deep, box.width, box.height)
    stored = rgba if deep is None else deep
    inside = bounds(stored[..., 3]) if crop else Box(0, 0, box.width, box.height)
    if inside is None:
        return Made(layer_message(stacking, picture, index, box, None, content_hash("rgba8").hexdigest()), ""), b""
    name = f"{stacking.job}-{index}-{os.getpid()}"
    sha256 = write_pixels(incoming / name, cast(RGBA | Deep, np.ascontiguousarray(stored[inside.slices])))
    place = inside.translated(box.x, box.y)
    small = thumbnail(rgba[inside.slices])
    message = layer_message(stacking, picture, index, box, place, sha256, format_of(stored))
    return Made(message, name, small.shape[1], small.shape[0]), small.tobytes()


def write_pixels(path: Path, pixels: RGBA | Deep) -> str:
    """Write contiguous `(H, W, 4)` pixels; returns their content id."""
    digest = content_hash(format_of(pixels), pixels.shape[1], pixels.shape[0])
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
    """The picture at most `side` pixels wide and high, weighted by alpha. Larger ones are thinned first, as for an icon."""
    thin = max(1, max(rgba.shape[:2]) // (4 * side))
    small = Image.fromarray(np.ascontiguousarray(rgba[::thin, ::thin]))
    factor = -(-max(small.size) // side)
    if factor > 1:
        small = small.convert("RGBa").reduce(factor).convert("RGBA")  # premultiplied in between
    return np.asarray(small)
