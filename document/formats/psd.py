"""PSD files, read and written by modules that are imported with the first of them.

psd-tools takes a third of a second to import, which no `--help`, no PNG and no start of a server should wait for.
"""

from __future__ import annotations

from typing import BinaryIO

from ..layer import Document, Layer
from ..outline import Outline


def read(file: BinaryIO, name: str) -> Document:
    """Read a PSD, as `psd_reading.read` does."""
    from . import psd_reading

    return psd_reading.read(file, name)


def outline(file: BinaryIO, name: str) -> Outline:
    """List the layers of a PSD, as `psd_outline.read` does."""
    from . import psd_outline

    return psd_outline.read(file, name)


def write(document: Document, file: BinaryIO) -> None:
    """Write a PSD, as `psd_writing.write` does."""
    from . import psd_writing

    psd_writing.write(document, file)


def insert(
    data: bytes, layer: Layer, name: str, *, above: str | None = None, below: str | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """Add a layer to a PSD, as `psd_insertion.insert` does."""
    from . import psd_insertion

    return psd_insertion.insert(data, layer, name, above=above, below=below)
