"""Flat pictures in: any PNG, JPEG, WebP, TIFF, BMP or GIF becomes straight sRGB of 8 or 16 bits, or an error that says why not.

Knows colour depths, palettes and hostile files; no layers.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

from acetate.raster import Pixels
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from ..composition.colour import to_rgba
from ..errors import TooLarge, UnreadableFile, UnsupportedFile
from ..metadata import Metadata
from . import deep_picture
from .decoding import decoding, quiet_stderr
from .gamma import corrected
from .kinds import READ_HINT, refuse_foreign
from .limits import MAX_PICTURE_PIXELS, MAX_SIDE

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
"""The decoders that a file from anyone may reach."""
XMP_KEYWORD = "XML:com.adobe.xmp"
"""Of the text chunk of a PNG."""
TIFF_XMP, TIFF_IPTC, TIFF_LAYERS, IPTC_RESOURCE = 700, 33723, 37724, 0x0404
BITS_PER_SAMPLE, PHOTOMETRIC, TIFF_RESOURCES = 258, 262, 34377
"""Tags of a TIFF, and the resource of Photoshop that a JPEG carries."""


@dataclass(frozen=True, eq=False)
class TiffLayers:
    """What a TIFF says of its layers, as `acetate.document.photoshop.tiff` reads it."""

    tag: bytes
    """Photoshop's own data."""
    photometric: int
    """How colour is stored, by TIFF's number."""
    depth: int
    """Bits per channel."""
    little: bool
    """Numbers stand with the lowest byte first."""
    icc: bytes
    resources: bytes
    """What Photoshop says beside the layers, in the order of a PSD."""


@dataclass(frozen=True, eq=False)
class FlatPicture:
    """A decoded picture file."""

    rgba: Pixels
    notes: tuple[str, ...]
    """What was converted, for the person."""
    text: dict[str, str]
    """The text chunks of a PNG, by keyword."""
    metadata: Metadata = Metadata()
    layers: TiffLayers | None = None
    """Those of a TIFF that has some."""


def decode(data: bytes, name: str) -> FlatPicture:
    """Pixels from encoded bytes, turned as stored; `name` is for messages. Raises a `DocumentError` saying why not."""
    with decoding(name, "picture"), warnings.catch_warnings():
        # Pillow warns of large pictures, which are checked below, and of slightly broken ones, which are read all the same.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check(image, name)
                with quiet_stderr():
                    picture = _convert(image, data, name)
                rgba, notes = corrected(picture.rgba, image.info)
                return replace(picture, rgba=rgba, notes=(*picture.notes, *notes), layers=_layers(image))
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


def _convert(image: ImageFile, data: bytes, name: str) -> FlatPicture:
    deep = deep_picture.is_deep(image)
    values = deep_picture.samples(image, data, name) if deep else None
    image.load()
    text = {key: str(value) for key, value in getattr(image, "text", {}).items()}
    icc, metadata = image.info.get("icc_profile"), _metadata(image, text)
    if values is not None:
        pixels, found = deep_picture.straight(values, image, icc)
        return FlatPicture(pixels, found, text, metadata)
    notes: list[str] = []
    turned = ImageOps.exif_transpose(image)
    if turned.mode in ("I", "F"):
        raise UnsupportedFile(f"{name} has 32 bits per channel; 8 and 16 are read", "Convert it to 8 bits per channel.")
    if deep:
        notes.append("16 bits per channel were reduced to 8")
    rgba, note = to_rgba(_simplified(turned), icc)
    return FlatPicture(rgba, (*notes, note) if note else tuple(notes), text, metadata)


def _layers(image: ImageFile) -> TiffLayers | None:
    tags = getattr(image, "tag_v2", None)
    tag = tags.get(TIFF_LAYERS) if tags else None
    if tags is None or not isinstance(tag, bytes):
        return None
    depth, photometric = max(tags.get(BITS_PER_SAMPLE, (8,))), tags.get(PHOTOMETRIC, 2)
    resources = tags.get(TIFF_RESOURCES, b"")
    return TiffLayers(tag, photometric, depth, tags.prefix == b"II", image.info.get("icc_profile") or b"", bytes(resources))


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


def _simplified(image: Image.Image) -> Image.Image:
    """The same picture in a mode that `to_rgba` takes; palettes and single transparent colours become colour and alpha."""
    if image.mode in ("CMYK", "LAB", "LA", "RGBA"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("L", "1") else "RGB")
