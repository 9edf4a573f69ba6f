"""How fast the other end takes bytes, and what follows from it: which encoding parts go out in, and how large they are.

Knows bytes and seconds; knows no socket. Each end judges the direction that it sends in, by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from .frames import SENT_PART_BYTES
from .values import ENCODINGS, Encoding

ZLIB_PAYS_BELOW = 25e6
"""Bytes a second. Packing goes at about 60 MB/s on one core and leaves two thirds of a layer: on a faster link it is a loss."""

SMALLEST_PART = 64 * 1024
"""A multiple of all sizes of a pixel, in every growth from `rgba8`."""

PART_SECONDS = 1.0
"""How long a part may occupy the link, as far as `SMALLEST_PART` allows: answers and progress go in between."""

ENOUGH_SECONDS = 0.25
"""The shortest time of sending that says anything: the first megabytes only fill buffers."""

MEMORY_SECONDS = 2.0
"""Of older sending half is forgotten: a link may become another."""


class Link:
    """One direction of a connection. `offered` are the encodings that the other end takes, the one it likes best first."""

    def __init__(self, offered: Sequence[str]) -> None:
        self._offered: tuple[Encoding, ...] = tuple(
            known for name in dict.fromkeys(offered) for known in ENCODINGS if known == name
        )
        self._bytes = self._seconds = 0.0

    def sent(self, count: int, seconds: float) -> None:
        """Note that so many bytes were taken in that time."""
        self._bytes += count
        self._seconds += seconds
        if self._seconds > MEMORY_SECONDS:
            self._bytes, self._seconds = self._bytes / 2, self._seconds / 2

    @property
    def rate(self) -> float | None:
        """Bytes a second; `None` until enough was sent to say so."""
        return self._bytes / self._seconds if self._seconds >= ENOUGH_SECONDS else None

    @property
    def encoding(self) -> Encoding:
        """How to send the next part: as the other end likes best, until the link itself says what is faster."""
        rate = self.rate
        if rate is None or len(self._offered) < 2:
            return self._offered[0]
        return "zlib" if rate < ZLIB_PAYS_BELOW else "raw"

    @property
    def part_bytes(self) -> int:
        """How many decoded bytes to put into the next part; a multiple of `SMALLEST_PART`, or the largest part."""
        rate = self.rate
        if rate is None or rate * PART_SECONDS >= SENT_PART_BYTES:
            return SENT_PART_BYTES
        return max(1, int(rate * PART_SECONDS) // SMALLEST_PART) * SMALLEST_PART
