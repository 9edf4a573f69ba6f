"""PSD and PSB files, read and written by modules that are imported with the first of them.

psd-tools takes a third of a second to import, which no `--help`, no PNG and no start of a server should wait for.
"""

from __future__ import annotations

from typing import BinaryIO

from ..adjustment import Adjustment
from ..layer import Document, Layer, walk
from ..outline import Outline
from ..tree import Place


def read(file: BinaryIO, name: str) -> Document:
    """Read a PSD, as `reading.read` does."""
    from ..photoshop import reading

    return reading.read(file, name)


def outline(file: BinaryIO, name: str) -> Outline:
    """List the layers of a PSD, as `outline.read` does."""
    from ..photoshop import outline

    return outline.read(file, name)


def write(document: Document, file: BinaryIO) -> tuple[str, ...]:
    """Write a PSD, as `writing.write` does."""
    from ..photoshop import writing

    return writing.write(document, file)


def write_large(document: Document, file: BinaryIO) -> tuple[str, ...]:
    """Write a PSB, as `writing.write` does."""
    from ..photoshop import writing

    return writing.write(document, file, large=True)


def insert(data: bytes, layer: Layer, name: str, place: Place) -> tuple[bytes, tuple[str, ...]]:
    """Add a layer to a PSD, as `insertion.insert` does."""
    from ..photoshop import insertion

    return insertion.insert(data, layer, name, place)


def losses(document: Document) -> tuple[str, ...]:
    """What a PSD will not keep, as `writable.said` says it."""
    if not any(isinstance(node, Adjustment) or node.style is not None for node in walk(document.layers)):
        return ()
    from ..photoshop import writable

    return tuple(writable.said(document.layers))
