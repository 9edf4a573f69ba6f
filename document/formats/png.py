"""PNG: one layer, or the whole document as one picture; generation parameters travel in an `iTXt` chunk.

Knows the layers' record; how other people's pictures are decoded is `picture`'s.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import BinaryIO, cast

import numpy as np
from acetate.raster import RGBA16, Pixels
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..composition.compose import compose
from ..layer import Document, Layer, walk
from ..metadata import UNKNOWN, Metadata
from ..naming import clean
from . import deep_picture, generation_metadata
from .limits import check_picture
from .picture import XMP_KEYWORD, FlatPicture

ONLY = 0
"""The id in the record of a layer that is all there is; merged layers are numbered from 1."""

_RELATIVE_COLORIMETRIC = b"\x01"


def encode(rgba: Pixels, *, text: str = "", level: int = 6, metadata: Metadata = UNKNOWN) -> bytes:
    """`(H, W, 4)` straight as PNG of its depth and marked as sRGB, colour under alpha 0 kept; `text` is the chunk `acetate`."""
    chunks = PngInfo()
    chunks.add(b"sRGB", _RELATIVE_COLORIMETRIC)
    if text:
        chunks.add_itxt(generation_metadata.KEY, text)
    if metadata.xmp:
        chunks.add_itxt(XMP_KEYWORD, metadata.xmp.decode(errors="replace"))
    if rgba.dtype == np.uint16:
        return deep_picture.encode(cast(RGBA16, rgba), chunks, level, metadata.resolution)
    density = {} if metadata.resolution is None else {"dpi": metadata.resolution}
    file = io.BytesIO()
    Image.fromarray(rgba).save(file, "PNG", compress_level=level, pnginfo=chunks, **density)
    return file.getvalue()


def write(document: Document, file: BinaryIO) -> None:
    """A document of one plain layer that fills the canvas is written as that layer, every other as its composition.

    Raises `TooLarge` for what could not be read again.
    """
    check_picture("the document", document.width, document.height)
    layers = [node for node in walk(document.layers) if isinstance(node, Layer)]
    first = ONLY if len(layers) == 1 else ONLY + 1
    text = generation_metadata.text(document.width, document.height, dict(enumerate(layers, first)))
    file.write(encode(flatten(document), text=text, metadata=document.metadata))


def flatten(document: Document) -> Pixels:
    """The document as one `(H, W, 4)` straight picture of its depth: what its file stores where we draw it otherwise, its only
    layer where that is all of it, else its composition."""
    if document.picture is not None:
        return document.picture
    only = plain_layer(document)
    return compose(document) if only is None else only.rgba


def plain_layer(document: Document) -> Layer | None:
    """The one layer whose pixels are the document's picture, down to the colour under alpha 0."""
    if len(document.layers) != 1:
        return None
    layer = document.layers[0]
    plain = layer.visible and layer.opacity == 1 and layer.box == document.box and layer.mask is None and layer.style is None
    return layer if plain and isinstance(layer, Layer) else None


def document_of(picture: FlatPicture, name: str) -> Document:
    """A flat picture as a document of one layer, with the parameters that our own PNGs carry."""
    height, width = picture.rgba.shape[:2]
    layer = Layer(picture.rgba, name=name)
    entries = generation_metadata.parse(picture.text.get(generation_metadata.KEY, ""))
    if ONLY in entries:
        entry = entries[ONLY]
        layer = replace(generation_metadata.applied(layer, entry), name=clean(entry.name) or name)
    elif entries:
        together = [{"name": entry.name, "role": entry.role, "parameters": entry.parameters} for entry in entries.values()]
        layer = replace(layer, parameters={"layers": together})
    return Document(width, height, (layer,), picture.notes, picture.metadata)
