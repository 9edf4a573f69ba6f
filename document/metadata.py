"""What a document says of itself beside its pixels: how large it is in print, whose it is, and lines to draw along.

Values only; where a file keeps them is the business of its format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["horizontal", "vertical"]

LABELS = tuple(["red", "orange", "yellow", "green", "blue", "violet", "gray", "seafoam", "indigo", "magenta", "fuchsia"])
"""The colours that Photoshop marks layers with in its list."""
LOCKS = ("transparency", "pixels", "position", "nesting", "all")
"""What of a layer Photoshop protects from change."""


@dataclass(frozen=True)
class Guide:
    """A line across the whole canvas."""

    direction: Direction
    position: float
    """Pixels from the top or from the left edge."""


@dataclass(frozen=True)
class Metadata:
    """Of a document; what is empty is not known."""

    resolution: tuple[float, float] | None = None
    """Pixels per inch, across and down."""
    xmp: bytes = b""
    """An XMP packet: author, copyright, captions, history. Without our generation record."""
    iptc: bytes = b""
    """IPTC records, the older form of the same."""
    guides: tuple[Guide, ...] = ()


UNKNOWN = Metadata()
