"""The thumbnail that a PSD holds for file browsers, kept up to date where the picture changed."""

from __future__ import annotations

import io
import math

import numpy as np
from acetate.vocabulary.box import Box
from PIL import Image, ImageChops
from psd_tools import PSDImage
from psd_tools.constants import ColorMode, Resource
from psd_tools.psd.image_resources import ThumbnailResource

from ..composition.colour import to_srgb
from .merged_picture import StoredPicture

KEYS = (Resource.THUMBNAIL_RESOURCE, Resource.THUMBNAIL_RESOURCE_PS4)
JPEG = 1
QUALITY = 90
MODES = {ColorMode.RGB: "RGB", ColorMode.GRAYSCALE: "L", ColorMode.CMYK: "CMYK", ColorMode.LAB: "LAB"}


def refresh(psd: PSDImage, picture: StoredPicture, box: Box) -> None:
    """Draw the changed box of the merged picture into the thumbnail; one that cannot be read is dropped."""
    for key in KEYS:
        stored = psd.image_resources.get_data(key)
        if stored is None:
            continue
        try:
            _draw(psd, picture, box, stored)
        except (OSError, ValueError, AttributeError):
            psd.image_resources.pop(key)


def _draw(psd: PSDImage, picture: StoredPicture, box: Box, stored: ThumbnailResource) -> None:
    if stored.fmt != JPEG:
        raise ValueError(f"a thumbnail of the kind {stored.fmt}")
    with Image.open(io.BytesIO(stored.data), formats=["JPEG"]) as image:
        small = image.convert("RGB")
    across, down = psd.width / small.width, psd.height / small.height
    left, top = math.floor(box.x / across), math.floor(box.y / down)
    right, bottom = math.ceil(box.right / across), math.ceil(box.bottom / down)
    x, y = math.floor(left * across), math.floor(top * down)
    end, bottom_row = min(psd.width, math.ceil(right * across)), min(psd.height, math.ceil(bottom * down))
    large = _as_srgb(psd, picture, Box(x, y, end - x, bottom_row - y))
    part = large.resize((right - left, bottom - top), Image.Resampling.BOX, reducing_gap=2)
    small.paste(_turned(part, stored), (left, top))
    coded = io.BytesIO()
    small.save(coded, "JPEG", quality=QUALITY)
    stored.data = coded.getvalue()


def _turned(image: Image.Image, stored: ThumbnailResource) -> Image.Image:
    """Photoshop 4 swapped red and blue."""
    return image if stored._RAW_MODE == "RGB" else Image.merge("RGB", image.split()[::-1])


def _as_srgb(psd: PSDImage, picture: StoredPicture, box: Box) -> Image.Image:
    samples = picture.read(box)[: ColorMode.channels(psd.color_mode)]
    planes = [Image.fromarray((plane >> (psd.depth - 8)).astype(np.uint8)) for plane in samples]
    image = Image.merge(MODES[psd.color_mode], planes)
    if image.mode == "CMYK":  # PSD counts the ink that is left out
        image = ImageChops.invert(image)
    return to_srgb(image, psd.image_resources.get_data(Resource.ICC_PROFILE)).image
