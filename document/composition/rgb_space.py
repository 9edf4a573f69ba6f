"""RGB spaces that a matrix and tone curves describe: sRGB, Adobe RGB, Display P3, linear light, most that pictures are in.

Little CMS, as Pillow offers it, knows 8 bits only; this is what it does with such profiles (ICC.1:2022, annex F.3), in floats. Of
other profiles, which are tables, nothing is known here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from acetate.raster import Float
from numpy.typing import NDArray

from .colour import srgb_profile

STEPS = 65536
"""Of a tone curve: one for each value of 16 bits."""

_GRID = np.linspace(0, 1, STEPS)
_HEADER, _TABLE_ENTRY = 128, struct.Struct(">4sII")
_MOST_TAGS = 100
_PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers each kind of a parametric curve has."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A tone curve and its inverse, tabulated."""

    _linear: Float
    _encoded: Float
    """By the square root of linear light, in which steps are about as fine as in what is encoded."""

    @classmethod
    def of(cls, linear: NDArray[np.float64]) -> Curve:
        """The curve whose linear light at even steps is given, `(STEPS,)`; what does not rise is made level."""
        rising = np.maximum.accumulate(np.clip(linear, 0, 1))
        return cls(rising.astype(np.float32), np.interp(_GRID**2, rising, _GRID).astype(np.float32))

    def decoded(self, values: Float) -> Float:
        """Encoded values in [0, 1], of any shape -> linear light."""
        return cast(Float, self._linear.take(np.rint(values * np.float32(STEPS - 1)).astype(np.intp), mode="clip"))

    def encoded(self, light: Float) -> Float:
        """Linear light of any shape, clipped to [0, 1] -> encoded values."""
        steps = np.sqrt(np.clip(light, 0, 1)) * np.float32(STEPS - 1)
        return self._encoded.take(np.rint(steps).astype(np.intp))


@dataclass(frozen=True, eq=False)
class RGBSpace:
    """Primaries and tone curves."""

    to_xyz: NDArray[np.float64]
    """`(3, 3)`: linear RGB to CIE XYZ under D50."""
    curves: tuple[Curve, Curve, Curve]

    def decoded(self, planes: Float) -> Float:
        """`(3, H, W)` encoded in [0, 1] -> linear light of these primaries."""
        return np.stack([curve.decoded(plane) for curve, plane in zip(self.curves, planes, strict=True)])

    def encoded(self, light: Float) -> Float:
        """`(3, H, W)` linear light of these primaries, clipped to [0, 1] -> encoded."""
        return np.stack([curve.encoded(plane) for curve, plane in zip(self.curves, light, strict=True)])

    def converted(self, planes: Float, target: RGBSpace) -> Float:
        """`(3, H, W)` in [0, 1] of this space -> of the target; colours outside its gamut are cut."""
        return target.encoded(self.light_in(self.decoded(planes), target))

    def light_in(self, light: Float, target: RGBSpace) -> Float:
        """`(3, H, W)` linear light of these primaries -> of the target's, not clipped."""
        matrix = (np.linalg.inv(target.to_xyz) @ self.to_xyz).astype(np.float32)
        return cast(Float, np.tensordot(matrix, light, axes=1))

    def holds(self, other: RGBSpace) -> bool:
        """Whether every colour of the other space has a place in this one, within a thousandth."""
        corners = np.linalg.inv(self.to_xyz) @ other.to_xyz
        return bool(corners.min() > -1e-3 and corners.sum(axis=1).max() < 1 + 1e-3)

    @property
    def linear(self) -> RGBSpace:
        """The same primaries without tone curves: linear light."""
        straight = Curve.of(_GRID)
        return RGBSpace(self.to_xyz, (straight, straight, straight))


@lru_cache(maxsize=1)
def srgb() -> RGBSpace:
    """sRGB, as the profile that written files carry describes it."""
    space = space_of(srgb_profile())
    assert space is not None
    return space


@lru_cache(maxsize=4)
def space_of(icc: bytes) -> RGBSpace | None:
    """The space that an RGB profile of matrix and curves describes; `None` for others, and for damaged ones."""
    tags = _tags(icc)
    if icc[16:20] != b"RGB " or any(key.startswith((b"A2B", b"D2B")) for key in tags):
        return None
    try:
        columns = [_xyz(tags[key]) for key in (b"rXYZ", b"gXYZ", b"bXYZ")]
        red, green, blue = (_curve(tags[key]) for key in (b"rTRC", b"gTRC", b"bTRC"))
    except (KeyError, ValueError, struct.error):
        return None
    matrix = np.array(columns).T
    return RGBSpace(matrix, (red, green, blue)) if abs(np.linalg.det(matrix)) > 1e-6 else None


@lru_cache(maxsize=4)
def gray_of(icc: bytes) -> Curve | None:
    """The tone curve of a gray profile; `None` for others, and for damaged ones."""
    tags = _tags(icc)
    try:
        return _curve(tags[b"kTRC"]) if icc[16:20] == b"GRAY" and b"A2B0" not in tags else None
    except (KeyError, ValueError, struct.error):
        return None


def _tags(icc: bytes) -> Mapping[bytes, bytes]:
    if len(icc) < _HEADER + 4:
        return {}
    count = min(int.from_bytes(icc[_HEADER : _HEADER + 4], "big"), _MOST_TAGS)
    entries = icc[_HEADER + 4 : _HEADER + 4 + count * _TABLE_ENTRY.size]
    whole = entries[: len(entries) // _TABLE_ENTRY.size * _TABLE_ENTRY.size]
    return {key: icc[offset : offset + size] for key, offset, size in _TABLE_ENTRY.iter_unpack(whole)}


def _xyz(tag: bytes) -> tuple[float, float, float]:
    if tag[:4] != b"XYZ ":
        raise ValueError(f"a colorant of the type {tag[:4]!r}")
    return cast(tuple[float, float, float], tuple(value / 65536 for value in struct.unpack_from(">3i", tag, 8)))


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        if kind >= len(_PARAMETERS):
            raise ValueError(f"a parametric curve of the kind {kind}")
        numbers = struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)
        return Curve.of(_parametric(kind, [number / 65536 for number in numbers]))
    if tag[:4] != b"curv":
        raise ValueError(f"a tone curve of the type {tag[:4]!r}")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return Curve.of(_GRID)
    if count == 1:
        return Curve.of(_GRID ** (struct.unpack_from(">H", tag, 12)[0] / 256))
    points = np.frombuffer(tag, ">u2", count, 12) / 65535
    return Curve.of(np.interp(_GRID, np.linspace(0, 1, count), points))


def _parametric(kind: int, numbers: list[float]) -> NDArray[np.float64]:
    """ICC.1:2022, 10.18: Y = (aX + b)^g + e above a limit, and cX + f below it."""
    g, a, b, c, d, e, f = (*numbers, 0, 0, 0, 0, 0, 0)[:7]
    if kind == 0:
        a = 1
    elif kind < 3:  # here the fourth is what is added to both
        c, d, e, f = 0, -b / a if a else 0, c, c
    return cast(NDArray[np.float64], np.where(d <= _GRID, np.maximum(a * _GRID + b, 0) ** g + e, c * _GRID + f))
