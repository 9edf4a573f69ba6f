"""What a file is, by its first bytes; for those that are not read here a sentence that says so, and a way out."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import UnsupportedFile

READ_HINT = "PSD, PSB, OpenRaster, Krita, GIMP, PNG, JPEG, WebP, TIFF, GIF and BMP files are read."


class Foreign(NamedTuple):
    """A kind of file that is not read."""

    name: str
    remedy: str


IN_ITS_PROGRAM = "Open it in its program and export it as PSD."
FOREIGN = (
    (0, b"CSFCHUNK", Foreign("a Clip Studio Paint file", "In Clip Studio: File > Save Duplicate > .psd.")),
    (0, b"mdipack", Foreign("a MediBang or FireAlpaca file (MDP)", IN_ITS_PROGRAM)),
    (0, b"SAI-CANVAS", Foreign("a SAI file", IN_ITS_PROGRAM)),
    (0, b"<svg", Foreign("an SVG drawing", "Export it as PNG at the size that is needed.")),
    (0, b"<?xml", Foreign("an XML file, perhaps an SVG drawing", "Export it as PNG at the size that is needed.")),
    (0, b"%PDF", Foreign("a PDF or Illustrator file", IN_ITS_PROGRAM)),
    (0, b"%!PS", Foreign("a PostScript file", "Export it as PNG at the size that is needed.")),
    (0, b"SQLite format 3", Foreign("a database, perhaps a picture of a drawing program", IN_ITS_PROGRAM)),
    (0, b"v/1\x01", Foreign("an OpenEXR picture", "Export it as a PNG or TIFF with 16 bits per channel.")),
    (0, b"\0\0\0\x0cJXL ", Foreign("a JPEG XL picture", "Save it as PNG.")),
    (0, b"\xff\x0a", Foreign("a JPEG XL picture", "Save it as PNG.")),
    (4, b"ftypavif", Foreign("an AVIF picture", "Save it as PNG.")),
    (4, b"ftyphei", Foreign("an HEIC photograph", "Save it as JPEG or PNG; a phone can be set to take JPEGs.")),
    (4, b"ftypmif1", Foreign("an HEIC or AVIF picture", "Save it as PNG.")),
)
"""Where the bytes stand, the bytes, and what they mean."""


def kind_of(data: bytes) -> str:
    """`psd`, `ora`, `kra`, `xcf`, `tiff` or `picture`, from the first bytes."""
    if data.startswith(b"8BPS"):
        return "psd"
    if data.startswith(b"gimp xcf "):
        return "xcf"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "tiff"
    if data.startswith(b"PK\x03\x04"):
        return "kra" if b"application/x-krita" in data[:128] else "ora"
    return "picture"


def refuse_foreign(data: bytes, name: str) -> None:
    """Raise `UnsupportedFile` for a kind that is known and not read."""
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    for place, magic, kind in FOREIGN:
        if (start if place == 0 else data)[place : place + len(magic)] == magic:
            raise UnsupportedFile(f"{name} is {kind.name}, which is not read", kind.remedy)
