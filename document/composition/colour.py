"""Colour spaces: everything becomes sRGB on reading; what is written is tagged as sRGB. Deeper colours are `deep_colour`'s.

Knows colour modes and ICC profiles, no file format.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from acetate.raster import RGBA
from PIL import Image, ImageCms

FROM_PROFILE = "colours were converted from the profile {!r} to sRGB"
FROM_LAB = "colours were converted from Lab to sRGB"
FROM_CMYK = "colours were converted from CMYK without a profile to sRGB"
UNUSABLE = "the embedded colour profile could not be used; colours were taken as sRGB"

_DATE = slice(24, 36)
"""Where an ICC profile keeps its creation time; cleared so that equal documents give equal files."""


class Converted(NamedTuple):
    """A picture in sRGB, and how it got there."""

    image: Image.Image
    """A Pillow image of mode RGB."""
    note: str
    """What was converted, for the person; empty when nothing visible changed."""


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """The ICC profile that written files carry."""
    profile = bytearray(_made_profile("sRGB").tobytes())
    profile[_DATE] = bytes(12)
    return bytes(profile)


def to_srgb(image: Image.Image, icc: bytes | None) -> Converted:
    """Any colour mode without alpha -> RGB in sRGB, through the embedded profile where there is a usable one.

    A profile that is sRGB in all but name is not applied: pixels come back bit for bit.
    """
    source = open_profile(icc, image.mode) if icc else None
    try:
        if icc and source is not None and image.mode == "RGB" and is_srgb(icc):
            return Converted(image, "")
        if icc and source is not None:
            return Converted(_applied(_to_srgb(icc, image.mode), image), FROM_PROFILE.format(profile_name(source)))
    except ImageCms.PyCMSError:
        pass  # it opens, but nothing can be computed with it
    if image.mode == "LAB":
        made = _transform(_made_profile("LAB"), _made_profile("sRGB"), "LAB", "RGB")
        return Converted(_applied(made, image), FROM_LAB)
    if image.mode == "CMYK":
        return Converted(image.convert("RGB"), FROM_CMYK)
    return Converted(image.convert("RGB"), UNUSABLE if icc else "")


def to_rgba(image: Image.Image, icc: bytes | None, alpha: Image.Image | None = None) -> tuple[RGBA, str]:
    """Any colour mode, alpha included or given -> straight RGBA in sRGB, `(H, W, 4)` uint8, and the note of `Converted`."""
    if image.mode == "RGBA" and not icc:
        return np.array(image), ""
    if image.mode in ("RGBA", "LA"):
        alpha = image.getchannel("A")
        image = image.convert(image.mode[:-1])
    converted = to_srgb(image, icc)
    rgba = np.empty((image.height, image.width, 4), np.uint8)
    rgba[..., :3] = np.asarray(converted.image)
    rgba[..., 3] = 255 if alpha is None else np.asarray(alpha)
    return rgba, converted.note


def from_srgb(image: Image.Image, mode: str, icc: bytes | None) -> Image.Image:
    """RGB in sRGB -> another colour mode (L, RGB, CMYK, LAB), into the profile where there is a usable one."""
    target = open_profile(icc, mode) if icc else None
    srgb = _made_profile("sRGB")
    try:
        if icc and target is not None and mode == "RGB" and is_srgb(icc):
            return image
        if target is not None:
            return _applied(_transform(srgb, target, image.mode, mode), image)
    except ImageCms.PyCMSError:
        pass  # as above, or a scanner's profile, which leads in one direction only
    if mode == "LAB":
        return _applied(_transform(srgb, _made_profile("LAB"), image.mode, mode), image)
    return image.convert(mode)


def profile_name(profile: ImageCms.ImageCmsProfile) -> str:
    """What the profile calls itself."""
    try:
        return ImageCms.getProfileDescription(profile).strip() or "unnamed"
    except ImageCms.PyCMSError:  # Pillow cannot decode the names of some, as of Photoshop's own in Japanese
        return "unnamed"


def _made_profile(space: Literal["LAB", "sRGB"]) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space))


def open_profile(icc: bytes, mode: str) -> ImageCms.ImageCmsProfile | None:
    """The profile, if it is one and for this colour mode."""
    spaces = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (OSError, ImageCms.PyCMSError):
        return None
    return profile if profile.profile.xcolor_space.strip() == spaces.get(mode) else None


@lru_cache(maxsize=4)
def is_srgb(icc: bytes) -> bool:
    """Whether the profile moves no colour of a coarse cube by more than one level: names lie (a linear one says sRGB too).

    One that nothing can be computed with is none.
    """
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(18, 18 * 18, 3)
    try:
        moved = np.asarray(_applied(_to_srgb(icc, "RGB"), Image.fromarray(cube))).astype(int)
    except ImageCms.PyCMSError:  # it opens, but nothing can be computed with it
        return False
    return int(np.abs(moved - cube).max()) <= 1


@lru_cache(maxsize=4)
def _to_srgb(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """Kept, as a file has one profile and perhaps thousands of layers, and Little CMS takes milliseconds to prepare one."""
    profile = open_profile(icc, mode)
    assert profile is not None
    return _transform(profile, _made_profile("sRGB"), mode, "RGB")


def _transform(
    source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile, from_mode: str, to_mode: str
) -> ImageCms.ImageCmsTransform:
    """Relative colorimetric with black point compensation, the default of Photoshop, Krita and GIMP."""
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(source, target, from_mode, to_mode, intent, flags)


def _applied(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # only an in-place transform returns none
    return converted
