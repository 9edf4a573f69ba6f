"""Colours of more than 8 bits into sRGB and out of it, which Pillow and its Little CMS cannot.

Profiles that a formula describes are applied here; of those that are tables (most of CMYK, some scanners') 8 bits must do.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from acetate.raster import RGBA16, Float, Pixels, scale_of, to_8_bits, to_16_bits
from acetate.raster.arrays import rounded
from numpy.typing import NDArray
from PIL import Image

from .colour import FROM_CMYK, FROM_LAB, FROM_PROFILE, UNUSABLE, from_srgb, is_srgb, open_profile, profile_name, to_srgb
from .rgb_space import Curve, gray_of, space_of, srgb

REDUCED = "16 bits per channel were reduced to 8, as the colour profile can only be applied to so many"

_D50 = np.array([0.9642, 1.0, 0.8249], np.float32)
_NO_COLOUR = 32768
"""Lab's a and b where they are 0, as Photoshop stores them in 16 bits: its own files of the same picture agree to the level."""
_SLACK = 1e-3
"""Rounding, by which a colour may be beyond black or white before it counts as cut."""


class InSRGB(NamedTuple):
    """Colours in sRGB, and how they got there."""

    rgb: Pixels
    """`(3, H, W)`: uint16, or uint8 where no better way is known."""
    notes: tuple[str, ...] = ()
    """What was converted, for the person; none when nothing visible changed."""


def to_srgb16(planes: RGBA16, mode: str, icc: bytes | None) -> InSRGB:
    """`(C, H, W)` uint16 in a mode of Pillow's (RGB, L, CMYK, LAB with 32768 as no colour) -> sRGB, by the profile if it fits."""
    notes: tuple[str, ...] = ()
    if icc and open_profile(icc, mode) is None:
        icc, notes = None, (UNUSABLE,)
    if mode == "RGB" and (not icc or is_srgb(icc)):
        return InSRGB(planes, notes)
    if mode == "L" and not icc:
        return InSRGB(np.repeat(planes, 3, axis=0), notes)
    values = planes.astype(np.float32) / np.float32(65535)
    if not icc:
        made = srgb().encoded(_light_of_lab(values)) if mode == "LAB" else (1 - values[:3]) * (1 - values[3:])
        return InSRGB(_in_16_bits(made), (*notes, FROM_LAB if mode == "LAB" else FROM_CMYK))
    space, gray = space_of(icc) if mode == "RGB" else None, gray_of(icc) if mode == "L" else None
    if space is None and gray is None:
        image = Image.merge(mode, [Image.fromarray(to_8_bits(plane)) for plane in planes])
        narrow, note = to_srgb(image, icc)
        return InSRGB(np.moveaxis(np.asarray(narrow), -1, 0), (note, REDUCED))
    made = space.converted(values, srgb()) if space else srgb().encoded(np.repeat(cast(Curve, gray).decoded(values), 3, axis=0))
    profile = open_profile(icc, mode)
    assert profile is not None
    return InSRGB(_in_16_bits(made), (FROM_PROFILE.format(profile_name(profile)),))


def rgba_of(rgb: Pixels, alpha: RGBA16 | None) -> Pixels:
    """`(3, H, W)` of either depth and its alpha, opaque without one, as one `(H, W, 4)` picture of the colours' depth."""
    rgba: Pixels = np.full((*rgb.shape[1:], 4), scale_of(rgb), rgb.dtype)
    rgba[..., :3] = np.moveaxis(rgb, 0, -1)
    if alpha is not None:
        rgba[..., 3] = alpha if rgba.dtype == np.uint16 else to_8_bits(alpha)
    return rgba


def from_srgb16(rgb: RGBA16, mode: str, icc: bytes | None) -> RGBA16:
    """`(3, H, W)` uint16 in sRGB -> `(C, H, W)` of another mode, by the profile if it fits; through 8 bits where no better way is
    known."""
    if icc and open_profile(icc, mode) is None:
        icc = None
    if mode == "RGB" and (not icc or is_srgb(icc)):
        return rgb
    values = rgb.astype(np.float32) / np.float32(65535)
    space, gray = space_of(icc) if icc and mode == "RGB" else None, gray_of(icc) if icc and mode == "L" else None
    if space:
        return _in_16_bits(srgb().converted(values, space))
    if mode == "L" and (gray or not icc):
        if gray:
            return _in_16_bits(gray.encoded(_xyz_of(values)[1:2]))
        return _in_16_bits(np.tensordot(np.array([[0.299, 0.587, 0.114]], np.float32), values, axes=1))  # as Pillow does it
    if mode == "CMYK" and not icc:
        return np.concatenate([np.uint16(65535) - rgb, np.zeros_like(rgb[:1])])
    if mode == "LAB" and not icc:
        return _lab_of(_xyz_of(values))
    image = Image.fromarray(np.ascontiguousarray(np.moveaxis(to_8_bits(rgb), 0, -1)))
    narrow = np.asarray(from_srgb(image, mode, icc))
    return to_16_bits(np.moveaxis(np.atleast_3d(narrow), -1, 0))


def from_light(planes: Float, icc: bytes | None) -> tuple[RGBA16, float]:
    """`(C, H, W)` float32 linear light, gray or of the profile's primaries, as files of 32 bits hold it -> `(3, H, W)` in sRGB.

    Also the share of it that no screen of sRGB shows, and which was cut: brighter than white, or outside the gamut.
    """
    light = np.repeat(planes, 3, axis=0) if len(planes) == 1 else planes
    light = np.nan_to_num(light, nan=0.0)
    space = space_of(icc) if icc else None
    if space is not None:
        light = space.light_in(light, srgb())
    beyond = ((light > 1 + _SLACK) | (light < -_SLACK)).any(axis=0)
    return _in_16_bits(srgb().encoded(light)), float(beyond.mean()) if beyond.size else 0.0


def _light_of_lab(values: Float) -> Float:
    """CIE Lab as files store it -> linear light of sRGB, not clipped."""
    a, b = (values[1:] * np.float32(65535) - _NO_COLOUR) / 256
    y = (values[0] * 100 + 16) / 116
    cubes = np.stack([y + a / 500, y, y - b / 200])
    xyz = np.where(cubes > 6 / 29, cubes**3, (cubes - 16 / 116) * 3 * (6 / 29) ** 2) * _D50[:, None, None]
    matrix = np.linalg.inv(srgb().to_xyz).astype(np.float32)
    return cast(Float, np.tensordot(matrix, xyz.astype(np.float32), axes=1))


def _xyz_of(values: Float) -> Float:
    return cast(Float, np.tensordot(srgb().to_xyz.astype(np.float32), srgb().decoded(values), axes=1))


def _lab_of(xyz: Float) -> RGBA16:
    share = xyz / _D50[:, None, None]
    x, y, z = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 16 / 116)
    lightness = (116 * y - 16) * 655.35
    colour = np.stack([500 * (x - y), 200 * (y - z)]) * 256 + _NO_COLOUR
    return cast(RGBA16, rounded(np.stack([lightness, *colour]).astype(np.float32), np.uint16))


def _in_16_bits(values: NDArray[np.float32]) -> RGBA16:
    return cast(RGBA16, rounded(values * np.float32(65535), np.uint16))
