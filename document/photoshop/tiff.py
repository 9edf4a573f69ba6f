"""TIFF in: Photoshop and others keep layers in one, beside the picture that every program shows.

They are a PSD's layers in a tag of their own; so they are read as those of the PSD that the TIFF could have been.
"""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ..composition.stored_picture import judged
from ..errors import UnreadableFile
from ..formats import picture, png
from ..formats.decoding import MALFORMED
from ..formats.picture import FlatPicture
from ..layer import Document

MODES = {1: 1, 2: 3, 5: 4, 8: 9}
"""A PSD's colour mode by a TIFF's way to store colour: gray, RGB, CMYK, Lab."""
COLOURS = {1: 1, 3: 3, 4: 4, 9: 3}
PROFILE = 1039
"""The resource of a PSD that holds the colour profile."""
NO_PICTURE = b"\0\2"
"""Deflated, and nothing of it: the picture is the TIFF's own."""


def read(file: BinaryIO, name: str) -> Document:
    """The layers of a TIFF, or its picture where it has none; `name` is what messages call it. Raises a `DocumentError`."""
    flat = picture.decode(file.read(), name)
    whole = png.document_of(flat, Path(name).stem)
    if flat.layers is None:
        return whole
    from . import reading  # psd-tools takes a third of a second to import, and most TIFFs need none

    try:
        layered = reading.read(io.BytesIO(_as_psd(flat)), name)
    except (UnreadableFile, *MALFORMED):
        return replace(whole, notes=(*whole.notes, "its layers are damaged or of an unknown kind; its merged picture was taken"))
    if not layered.layers:
        return whole
    metadata = replace(flat.metadata, guides=layered.metadata.guides)
    return judged(replace(layered, metadata=metadata), flat.rgba)


def _as_psd(flat: FlatPicture) -> bytes:
    """A PSD with the layers and the profile of the TIFF, and no picture."""
    from . import byte_order

    assert flat.layers is not None
    tag, mode, depth, little = flat.layers.tag, MODES[flat.layers.photometric], flat.layers.depth, flat.layers.little
    section = byte_order.section_of(tag, depth, little=little)
    height, width = flat.rgba.shape[:2]
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, COLOURS[mode], height, width, depth, mode)
    resources = flat.layers.resources
    if flat.layers.icc:
        profile = flat.layers.icc + bytes(len(flat.layers.icc) % 2)
        resources += b"8BIM" + struct.pack(">HHI", PROFILE, 0, len(flat.layers.icc)) + profile
    parts = (bytes(4), struct.pack(">I", len(resources)), resources, struct.pack(">I", len(section)), section)
    return b"".join((header, *parts, NO_PICTURE))
