"""Flat pictures in: any PNG, JPEG, WebP, TIFF, BMP or GIF becomes straight 8-bit sRGB, or an error that says why not.

Knows colour depths, palettes and hostile files; no layers.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from acetate.raster import RGBA
from PIL import Image, ImageOps, UnidentifiedImageError

from ..composition.colour import to_rgba
from ..errors import TooLarge, UnreadableFile, UnsupportedFile
from ..metadata import Metadata
from .decoding import decoding, quiet_stderr
from .gamma import corrected
from .kinds import READ_HINT, refuse_foreign
from .limits import MAX_PICTURE_PIXELS, MAX_SIDE

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
"""The decoders that a file from anyone may reach."""
XMP_KEYWORD = "XML:com.adobe.xmp"
"""Of the text chunk of a PNG."""
TIFF_XMP, TIFF_IPTC, TIFF_LAYERS, IPTC_RESOURCE = 700, 33723, 37724, 0x0404
"""Tags of a TIFF, and the resource of Photoshop that a JPEG carries."""


@dataclass(frozen=True, eq=False)
class FlatPicture:
    """A decoded picture file."""

    rgba: RGBA
    notes: tuple[str, ...]
    """What was converted, for the person."""
    text: dict[str, str]
    """The text chunks of a PNG, by keyword."""
    metadata: Metadata = Metadata()


def decode(data: bytes, name: str) -> FlatPicture:
    """Pixels from encoded bytes, turned as stored; `name` is for messages. Raises a `DocumentError` saying why not."""
    with decoding(name, "picture"), warnings.catch_warnings():
        # Pillow warns of large pictures, which are checked below, and of slightly broken ones, which are read all the same.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check(image, name)
                with quiet_stderr():
                    picture = _convert(image, name)
                rgba, notes = corrected(picture.rgba, image.info)
                if TIFF_LAYERS in getattr(image, "tag_v2", {}):
                    notes.append("its layers are not read, and its merged picture was taken; a PSD would keep them")
                return replace(picture, rgba=rgba, notes=(*picture.notes, *notes))
        except Image.DecompressionBombError as error:
            raise TooLarge(f"{name}: {error}", "At most 8192 x 8192 pixels are read.") from error
        except UnidentifiedImageError as error:
            refuse_foreign(data, name)
            raise UnreadableFile(f"{name} is not a readable picture: {_why(data)}", READ_HINT) from error


def _why(data: bytes) -> str:
    """What is wrong with a file that no reader takes."""
    if not data:
        return "it is empty"
    if data.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
        return "it is damaged"
    return f"it begins with {data[:8]!r}"


def _check(image: Image.Image, name: str) -> None:
    """All that can be refused from the header alone, before memory is spent."""
    width, height = image.size
    if width * height > MAX_PICTURE_PIXELS or max(width, height) > MAX_SIDE:
        raise TooLarge(
            f"{name} has {width} x {height} pixels; at most 8192 x 8192 in all and {MAX_SIDE:,} a side are read",
            "Scale it down first.",
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a phone's JPEG: further pictures are depth maps and thumbnails of the first
        raise UnsupportedFile(f"{name} is animated or has pages ({frames} of them); one still picture is read", "Save one frame.")


def _convert(image: Image.Image, name: str) -> FlatPicture:
    deep = any(";16" in str(tile.args) for tile in getattr(image, "tile", ()))  # known only until the pixels are decoded
    image.load()
    text = {key: str(value) for key, value in getattr(image, "text", {}).items()}
    icc, metadata = image.info.get("icc_profile"), _metadata(image, text)
    notes: list[str] = []
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F"):
        raise UnsupportedFile(f"{name} has 32 bits per channel; 8 and 16 are read", "Convert it to 8 bits per channel.")
    if deep:
        notes.append("16 bits per channel were reduced to 8")
        image = _narrowed(image)
    rgba, note = to_rgba(_simplified(image), icc)
    return FlatPicture(rgba, (*notes, note) if note else tuple(notes), text, metadata)


def _metadata(image: Image.Image, text: Mapping[str, str]) -> Metadata:
    """Resolution and copyright, from wherever the kind of file keeps them."""
    info, tags = image.info, getattr(image, "tag_v2", {})
    across, down = (*info.get("dpi", ()), 0, 0)[:2]
    packet = text.get(XMP_KEYWORD) or info.get("xmp") or tags.get(TIFF_XMP) or b""
    photoshop = info.get("photoshop")
    iptc = photoshop.get(IPTC_RESOURCE) if isinstance(photoshop, dict) else tags.get(TIFF_IPTC)
    return Metadata(
        resolution=(float(across), float(down)) if across > 0 and down > 0 else None,
        xmp=packet.encode() if isinstance(packet, str) else bytes(packet),
        iptc=iptc if isinstance(iptc, bytes) else b"",
    )


def _narrowed(image: Image.Image) -> Image.Image:
    """16 bits -> 8. Pillow does it for colour on loading, but not for a transparent colour, and gray it would cut at 255."""
    transparent = image.info.get("transparency")
    if not image.mode.startswith("I;16"):
        if isinstance(transparent, tuple):
            image.info["transparency"] = tuple(value >> 8 for value in transparent)
        return image
    values = np.asarray(image).astype(np.uint32)
    narrow = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))
    if transparent is not None:
        narrow.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return narrow


def _simplified(image: Image.Image) -> Image.Image:
    """The same picture in a mode that `to_rgba` takes; palettes and single transparent colours become colour and alpha."""
    if image.mode in ("CMYK", "LAB", "LA", "RGBA"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("L", "1") else "RGB")
